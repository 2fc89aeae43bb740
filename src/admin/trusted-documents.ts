import { isoTime } from '../core/clock.js';
import { cutText } from '../core/cut-text.js';
import { sha256Hex } from '../core/digest.js';
import { BehalfError } from '../core/errors.js';
import { documentName, type CheckedDocument, type DocumentRules } from '../delegation/trusted-documents.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { any, eq, isIn } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { RunAgain } from '../store/drivers/lock-conflicts.js';
import { isDuplicate } from '../store/sql/database.js';
import { trustedDocuments, type TrustedDocumentRow } from '../store/tables/documents.js';
import type { UnitOfWork } from './unit-of-work.js';

export interface NewDocument {
  readonly name: string;
  /** The text exactly as clients send or hash it, white space included. */
  readonly source: string;
}

/** A fault in one document. Line and column begin with 1, and are null for a fault of the whole. */
interface NamedFault {
  readonly name: string;
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** No document was registered, because some have faults. */
export class DocumentsRefused extends BehalfError {
  constructor(readonly faults: readonly NamedFault[]) {
    const told = faults.slice(0, faultsTold).map(wording);
    const rest = faults.length > told.length ? [`… and ${String(faults.length - told.length)} more`] : [];
    super('BAD_USER_INPUT', `Nothing was registered:\n${[...told, ...rest].join('\n')}`, { path: 'input' });
  }
}

const faultsTold = 50;
const sourceLengthMax = 100_000;

const wording = ({ name, message, line, column }: NamedFault): string =>
  [
    JSON.stringify(cutText(name, 100)),
    ...(line === null ? [] : [`${String(line)}:${String(column ?? 1)}`]),
    message,
  ].join(' ');

/** The result of registering, in the order of the input. */
interface Registered {
  readonly rows: readonly TrustedDocumentRow[];
  readonly created: number;
  readonly replaced: number;
  readonly unchanged: number;
}

/**
 * Registers all documents or none; throws `DocumentsRefused` with every fault. A registered name with another source is
 * replaced, and its former document is retired. With the same source it stays. A name keeps its kind for good.
 */
export async function registerDocuments(
  unit: UnitOfWork,
  rules: DocumentRules,
  by: string,
  input: readonly NewDocument[],
): Promise<Registered> {
  const documents = checkDocuments(rules, input);
  const active = await activeAmong(unit.tx, documents);
  const byName = new Map(active.map((row) => [row.name, row]));
  requireFree(documents, active);
  await requireKind(unit.tx, documents);
  const rows: TrustedDocumentRow[] = [];
  const added: TrustedDocumentRow[] = [];
  let replaced = 0;
  for (const { name, source, hash, kind } of documents) {
    const before = byName.get(name);
    if (before?.hash === hash) {
      rows.push(before);
      continue;
    }
    if (before !== undefined) {
      await retire(unit, by, before);
      replaced += 1;
    }
    const row: TrustedDocumentRow = {
      ...{ id: unit.ids.next(), name, hash, kind, source, version: 1 },
      ...{ registeredById: by, registeredAt: isoTime(unit.clock.now()), retiredById: null, retiredAt: null },
      ...{ standingName: name, standingHash: hash },
    };
    rows.push(row);
    added.push(row);
  }
  // Last, so that two documents may exchange their sources.
  if (added.length > 0) await insert(unit, added);
  if (added.length > 0) await bumpEpoch(unit.tx);
  return { rows, created: added.length - replaced, replaced, unchanged: rows.length - added.length };
}

/** Retires a document: from the next operation on it does not exist. */
export async function retireDocument(unit: UnitOfWork, by: string, row: TrustedDocumentRow): Promise<void> {
  if (row.retiredAt !== null) return;
  await retire(unit, by, row);
  await bumpEpoch(unit.tx);
}

/** All documents that a name has stood for, the oldest first. */
export const documentHistory = (tx: Connection, name: string): Promise<TrustedDocumentRow[]> =>
  tx.select(trustedDocuments, eq<TrustedDocumentRow>('name', name), {
    order: [{ column: 'id', direction: 'asc' }],
  });

/** All documents that are not retired, by name. */
export const activeDocuments = (tx: Connection): Promise<TrustedDocumentRow[]> =>
  tx.select(
    trustedDocuments,
    { kind: 'null', column: 'retiredAt' },
    { order: [{ column: 'name', direction: 'asc' }] },
  );

interface Checked extends NewDocument {
  readonly hash: string;
  readonly kind: CheckedDocument['kind'];
}

/** Collects every fault of every document, and between documents. */
function checkDocuments(rules: DocumentRules, input: readonly NewDocument[]): Checked[] {
  const faults: NamedFault[] = [];
  const checked: Checked[] = [];
  const names = new Set<string>();
  const hashes = new Map<string, string>();
  for (const { name, source } of input) {
    const add = (message: string, line: number | null = null, column: number | null = null): void => {
      faults.push({ name, message, line, column });
    };
    if (!documentName.test(name))
      add('A name has letters, digits and `_ . -`, up to 100, and begins with a letter.');
    if (names.has(name)) add('This name is given twice.');
    names.add(name);
    if (source.length > sourceLengthMax) {
      add(`The source is longer than ${String(sourceLengthMax)} characters.`);
      continue;
    }
    const hash = sha256Hex(source);
    const twin = hashes.get(hash);
    if (twin !== undefined) add(`It has the same source as ${twin}.`);
    hashes.set(hash, name);
    const outcome = rules.check(source);
    if ('faults' in outcome) for (const fault of outcome.faults) add(fault.message, fault.line, fault.column);
    else checked.push({ name, source, hash, kind: outcome.kind });
  }
  if (faults.length > 0) throw new DocumentsRefused(faults);
  return checked;
}

const activeAmong = (tx: Connection, documents: readonly Checked[]): Promise<TrustedDocumentRow[]> =>
  tx.select(
    trustedDocuments,
    any<TrustedDocumentRow>(
      isIn(
        'standingName',
        documents.map(({ name }) => name),
      ),
      isIn(
        'standingHash',
        documents.map(({ hash }) => hash),
      ),
    ),
    { lock: 'update' },
  );

/** A hash belongs to one document: a source registered under another name, which stays, cannot be registered again. */
function requireFree(documents: readonly Checked[], active: readonly TrustedDocumentRow[]): void {
  const names = new Set(documents.map(({ name }) => name));
  const staying = new Map(active.filter((row) => !names.has(row.name)).map((row) => [row.hash, row.name]));
  const faults = documents.flatMap(({ name, hash }) => {
    const other = staying.get(hash);
    const message = `This source is registered as ${other ?? ''}: retire that one first.`;
    return other === undefined ? [] : [{ name, message, line: null, column: null }];
  });
  if (faults.length > 0) throw new DocumentsRefused(faults);
}

/**
 * A name stands for queries only, or for mutations only, also after its document has been retired: a client that reads
 * by a name must never change anything by it.
 */
async function requireKind(tx: Connection, documents: readonly Checked[]): Promise<void> {
  const names = documents.map(({ name }) => name);
  const earlier = await tx.select(trustedDocuments, isIn<TrustedDocumentRow>('name', names), {
    order: [{ column: 'id', direction: 'asc' }],
    lock: 'share',
  });
  const first = new Map([...earlier].reverse().map((row) => [row.name, row]));
  const faults = documents.flatMap(({ name, kind }) => {
    const stood = first.get(name);
    if (stood === undefined || stood.kind === kind) return [];
    const message = `This is a ${kind}, and the name has stood for a ${stood.kind} since ${stood.registeredAt}: take another name.`;
    return [{ name, message, line: null, column: null }];
  });
  if (faults.length > 0) throw new DocumentsRefused(faults);
}

async function retire({ tx, clock, trail }: UnitOfWork, by: string, row: TrustedDocumentRow): Promise<void> {
  const retiredAt = isoTime(clock.now());
  // `update` leaves out undefined values and writes null.
  await tx.update(trustedDocuments, eq<TrustedDocumentRow>('id', row.id), {
    ...{ retiredAt, retiredById: by, version: row.version + 1 },
    ...{ standingName: null, standingHash: null },
  });
  const { name, hash } = row;
  trail.touched(trustedDocuments.type, [row.id], 'update');
  trail.changed({
    type: trustedDocuments.type,
    id: row.id,
    before: { name, hash, retired: false },
    after: { name, hash, retired: true },
  });
}

async function insert({ tx, trail }: UnitOfWork, rows: readonly TrustedDocumentRow[]): Promise<void> {
  await tx.insert(trustedDocuments, rows).catch((error: unknown) => {
    // Another registration was faster: run again and find its rows.
    throw isDuplicate(error) ? new RunAgain(trustedDocuments.name, { cause: error }) : error;
  });
  for (const { id, name, hash, kind } of rows) {
    trail.touched(trustedDocuments.type, [id], 'create');
    // The hash stands for the source, which the row keeps for good.
    trail.changed({ type: trustedDocuments.type, id, before: null, after: { name, hash, kind } });
  }
}
