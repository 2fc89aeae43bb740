import { getOperationAST, type DocumentNode, type OperationDefinitionNode } from 'graphql';
import type { Scope } from '../../authority/scope.js';
import { sha256 } from '../../core/digest.js';
import { Lru } from '../../core/lru.js';
import type { MeasuredCache } from '../../core/metrics.js';
import type { DocumentReach } from '../document/document-check.js';
import { fragmentsOf, type OperationPlan } from './operation-plan.js';
import { selectionsIn } from '../document/selection-counts.js';
import { ceilingKey } from '../view/views.js';

/** A document that came before and was found valid then. */
class CachedDocument {
  readonly hash: string;
  /** The ceilings for which it was found valid; it may name coordinates that other ceilings do not reach. */
  readonly ceilings = new Set<string>();
  private readonly operations = new Map<string, OperationDefinitionNode | undefined>();
  private readonly kept = new Set<OperationPlan>();

  constructor(
    source: string,
    readonly document: DocumentNode,
    /** Memory, counted in selections. */
    readonly weight: number,
    /** A ceiling that reaches all these names makes the document valid; undefined where that is not enough. */
    readonly names: ReadonlySet<string> | undefined,
  ) {
    this.hash = sha256(source);
  }

  operation(name: string | undefined): OperationDefinitionNode | undefined {
    const key = name ?? '';
    if (this.operations.has(key)) return this.operations.get(key);
    const operation = getOperationAST(this.document, name) ?? undefined;
    // Names that a caller makes up would fill the map.
    if (operation !== undefined) this.operations.set(key, operation);
    return operation;
  }

  keep(plan: OperationPlan): void {
    // A plan that is made for each request would fill the set.
    if (!plan.selection.isFixed || this.kept.has(plan)) return;
    this.kept.add(plan);
    plan.keep();
  }

  letGo(): void {
    for (const plan of this.kept) plan.letGo();
  }
}

/** Selections of all documents together; each document counts for `documentWeight` more. */
const weightMax = 100_000;
const documentWeight = 200;
const seenOnceMax = 10_000;
const ceilingsMax = 10_000;
/** Longer documents are rare and take the ordinary path. */
const sourceLengthMax = 20_000;

/**
 * Caches documents by their text, from the second time that they come: documents that come once would push others out.
 */
export class DocumentCache {
  private readonly documents = new Lru<string, CachedDocument>(
    weightMax,
    (known) => {
      known.letGo();
    },
    ({ weight }) => weight,
  );
  private readonly seenOnce = new Lru<string, true>(seenOnceMax);
  private readonly keys = new WeakMap<ReadonlySet<Scope>, string>();
  private hits = 0;
  private misses = 0;

  constructor(private readonly reach: DocumentReach) {}

  get caches(): Readonly<Record<string, MeasuredCache>> {
    const { size, weight, max } = this.documents;
    const { hits, misses, seenOnce } = this;
    return { compiled_documents: { size, weight, max, hits, misses }, documents_seen_once: seenOnce };
  }

  /** True for a document that was found valid for some ceiling. */
  has(source: string): boolean {
    return this.documents.get(source) !== undefined;
  }

  get(source: string, ceiling: ReadonlySet<Scope>): CachedDocument | undefined {
    const known = this.documents.get(source);
    const found = known !== undefined && this.isValidFor(known, ceiling) ? known : undefined;
    if (found === undefined) this.misses += 1;
    else this.hits += 1;
    return found;
  }

  /** Whether a ceiling reaches all names that a request's variables use. */
  reaches(names: readonly string[], ceiling: ReadonlySet<Scope>): boolean {
    return names.length === 0 || this.reach.holds(names, ceiling);
  }

  /** Comparing names avoids validating a document again for each of many ceilings. */
  private isValidFor(known: CachedDocument, ceiling: ReadonlySet<Scope>): boolean {
    const key = this.keyOf(ceiling);
    if (known.ceilings.has(key)) return true;
    if (known.names === undefined || !this.reach.holds(known.names, ceiling)) return false;
    if (known.ceilings.size < ceilingsMax) known.ceilings.add(key);
    return true;
  }

  private keyOf(ceiling: ReadonlySet<Scope>): string {
    const key = this.keys.get(ceiling) ?? ceilingKey(ceiling);
    this.keys.set(ceiling, key);
    return key;
  }

  /** Notes a document that was just found valid for a ceiling. */
  note(source: string, document: DocumentNode, ceiling: string): void {
    if (source.length > sourceLengthMax) return;
    const known = this.documents.get(source);
    if (known !== undefined) {
      if (known.ceilings.size < ceilingsMax) known.ceilings.add(ceiling);
      return;
    }
    const hash = sha256(source);
    if (this.seenOnce.get(hash) === undefined) {
      this.seenOnce.set(hash, true);
      return;
    }
    this.seenOnce.delete(hash);
    const weight = documentWeight + selectionsIn(document, fragmentsOf(document));
    const made = new CachedDocument(source, document, weight, this.reach.namesOfConcrete(document));
    made.ceilings.add(ceiling);
    this.documents.set(source, made);
  }
}
