import {
  Kind,
  parse,
  type ArgumentNode,
  type DefinitionNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type NameNode,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  type TypeNode,
  type ValueNode,
} from 'graphql';
import { cutText } from '../../core/cut-text.js';
import { sha256 } from '../../core/digest.js';
import { badInput, type BehalfError } from '../../core/errors.js';
import { Lru } from '../../core/lru.js';
import { countRepeats, type Fragments } from './selection-counts.js';
import { faultOf, makeCount, requireWithin, type Count } from './structure-limits.js';

/** The most tokens in a document. */
export const documentTokensMax = 4_000;
/** How many documents are remembered as within the limits. */
const knownMax = 10_000;
const lineEnd = /\r\n|[\n\r]/;

/**
 * The fault in a parsed document's shape, independent of caller and schema: `QUERY_TOO_COMPLEX` with the limit it
 * passes, or `BAD_USER_INPUT` for a fragment that spreads itself. Takes time in proportion to the document's length.
 * Validation does not, so this check runs first.
 */
export const structureFault = (document: DocumentNode): BehalfError | undefined =>
  faultOf(() => {
    const count = makeCount();
    const fragments = fragmentsOf(document);
    const shape = new Shape(fragments, count);
    for (const definition of document.definitions) shape.definition(definition);
    countRepeats(document, fragments, count);
  });

/** The fault in the size of a request's variables: `QUERY_TOO_COMPLEX`. The limit on the body bounds strings. */
export const variablesFault = (variables: unknown): BehalfError | undefined =>
  faultOf(() => {
    const count = makeCount();
    // Level by level and without recursion: JSON may be nested deeper than the call stack allows.
    let holders: unknown[] = [variables];
    for (let depth = 0; holders.length > 0; depth += 1) {
      const level: unknown[] = [];
      for (const holder of holders) {
        if (holder === null || typeof holder !== 'object') continue;
        const values: unknown[] = Object.values(holder);
        count('variableValues', values.length);
        level.push(...values);
      }
      if (level.length > 0) requireWithin('valueDepth', depth);
      holders = level;
    }
  });

/**
 * The fault in the length or shape of a document's source, as in `structureFault`. A document that cannot be parsed has
 * no fault here; the next parser reports it.
 */
export function documentFault(source: string): BehalfError | undefined {
  const tooLong = faultOf(() => {
    requireWithin('characters', source.length);
    requireWithin('lines', source.split(lineEnd).length);
  });
  const document = tooLong === undefined ? parsed(source) : undefined;
  return document === undefined ? tooLong : structureFault(document);
}

/** Checks documents as they come, and remembers those without a fault. */
export class Structures {
  readonly known = new Lru<string, true>(knownMax);

  /** @param isKnown true for a source that was found sound and is cached elsewhere; it need not be hashed */
  constructor(private readonly isKnown: (source: string) => boolean = () => false) {}

  /** As `documentFault`. */
  fault(source: string): BehalfError | undefined {
    if (this.isKnown(source)) return undefined;
    const key = sha256(source);
    if (this.known.get(key) === true) return undefined;
    const fault = documentFault(source);
    if (fault === undefined) this.known.set(key, true);
    return fault;
  }
}

/** By name. Two fragments of one name are refused, because only one of them would be checked. */
export function fragmentsOf(document: DocumentNode): Fragments {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.FRAGMENT_DEFINITION) continue;
    const name = node.name.value;
    if (fragments.has(name)) throw badInput(`There can be only one fragment named "${shortened(name)}".`);
    fragments.set(name, node);
  }
  return fragments;
}

const shortened = (name: string): string => (name.length <= 200 ? name : `${cutText(name, 200)}…`);

function parsed(source: string): DocumentNode | undefined {
  try {
    return parse(source, { maxTokens: documentTokensMax, noLocation: true });
  } catch {
    return undefined;
  }
}

/** Levels of selections and aliases in a fragment, including those of the fragments that it spreads. */
interface FragmentShape {
  readonly depth: number;
  readonly aliases: number;
}

/** Counts the parts of a document: each definition once, its aliases once for every spread. */
class Shape {
  /** Undefined while a fragment is being visited. */
  private readonly known = new Map<string, FragmentShape | undefined>();
  private aliases = 0;

  constructor(
    private readonly fragments: Fragments,
    private readonly count: Count,
  ) {}

  definition(node: DefinitionNode): void {
    if (node.kind === Kind.OPERATION_DEFINITION) this.operation(node);
    else if (node.kind === Kind.FRAGMENT_DEFINITION) {
      this.count('fragments');
      const { aliases } = this;
      this.aliases = 0;
      this.fragment(node.name);
      // A fragment's aliases count where it is spread, once for each spread.
      this.aliases = aliases;
    } else throw badInput('A request holds operations and fragments, and nothing else.');
  }

  private operation(node: OperationDefinitionNode): void {
    this.count('operations');
    this.name(node.name);
    this.directives(node.directives);
    for (const { variable, type, defaultValue, directives } of node.variableDefinitions ?? []) {
      this.count('variables');
      this.name(variable.name);
      // JSON with a member of this name is refused.
      const isRequired = type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined;
      if (isRequired && variable.name.value === '__proto__')
        throw badInput('No request can give a variable named `__proto__`: choose another name.');
      this.type(type);
      if (defaultValue !== undefined) this.value(defaultValue);
      this.directives(directives);
    }
    requireWithin('depth', this.depth(node.selectionSet, 1));
  }

  private fragment(name: NameNode): number {
    if (this.known.has(name.value)) {
      const known = this.known.get(name.value);
      if (known === undefined) throw badInput(`The fragment "${name.value}" spreads itself.`);
      this.addAliases(known.aliases);
      return known.depth;
    }
    this.name(name);
    const node = this.fragments.get(name.value);
    if (node === undefined) return 0;
    this.known.set(name.value, undefined);
    const before = this.aliases;
    this.name(node.typeCondition.name);
    this.directives(node.directives);
    const depth = this.depth(node.selectionSet, 1);
    requireWithin('depth', depth);
    this.known.set(name.value, { depth, aliases: this.aliases - before });
    return depth;
  }

  /** Levels of selections in a set that stands on level `at` of its definition. */
  private depth(set: SelectionSetNode, at: number): number {
    requireWithin('depth', at);
    return set.selections.reduce((most, selection) => Math.max(most, this.selection(selection, at)), 0);
  }

  private selection(node: SelectionNode, at: number): number {
    this.directives(node.directives);
    switch (node.kind) {
      case Kind.FIELD:
        this.field(node);
        return 1 + (node.selectionSet === undefined ? 0 : this.depth(node.selectionSet, at + 1));
      case Kind.INLINE_FRAGMENT:
        this.name(node.typeCondition?.name);
        return 1 + this.depth(node.selectionSet, at + 1);
      case Kind.FRAGMENT_SPREAD:
        this.count('spreads');
        return this.fragment(node.name);
    }
  }

  private field({ name, alias, arguments: args }: FieldNode): void {
    if (alias !== undefined) this.addAliases(1);
    this.name(alias);
    this.name(name);
    this.arguments(args);
  }

  private addAliases(count: number): void {
    this.aliases += count;
    requireWithin('aliases', this.aliases);
  }

  private directives(nodes: readonly DirectiveNode[] = []): void {
    requireWithin('directivesOfOne', nodes.length);
    for (const { name, arguments: args } of nodes) {
      this.count('directives');
      this.name(name);
      this.arguments(args);
    }
  }

  private arguments(nodes: readonly ArgumentNode[] = []): void {
    for (const { name, value } of nodes) {
      this.name(name);
      this.value(value);
    }
  }

  private value(node: ValueNode, at = 0): void {
    requireWithin('valueDepth', at);
    if (node.kind === Kind.LIST) for (const value of node.values) this.value(value, at + 1);
    else if (node.kind === Kind.OBJECT) {
      for (const { name, value } of node.fields) {
        this.name(name);
        this.value(value, at + 1);
      }
    } else if (node.kind === Kind.VARIABLE) this.name(node.name);
    else if (node.kind === Kind.ENUM) requireWithin('nameLength', node.value.length);
  }

  private type(node: TypeNode, at = 0): void {
    requireWithin('valueDepth', at);
    if (node.kind === Kind.NAMED_TYPE) this.name(node.name);
    else this.type(node.type, at + 1);
  }

  private name(node: NameNode | undefined): void {
    if (node !== undefined) requireWithin('nameLength', node.value.length);
  }
}
