import { sha256 } from '../core/digest.js';
import { columnName, quote } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { columnKeys } from '../store/sql/connection.js';
import { importKeys } from '../store/tables/identity.js';
import type { Entity } from './importable-tables.js';

/** The state of a row that a key names, before it is written. */
export interface Known {
  readonly id: string;
  /** `stored`: the table has the row. `keyed`: import_keys has the key. */
  readonly stored: boolean;
  readonly keyed: boolean;
  /** The customer and the currency of the row, where it has them. */
  customerId: string | null;
  currency: string | null;
  /** The row's line in the file; 0 where it is not in the file. */
  line: number;
  /** Whether a fault of the row was reported. */
  broken: boolean;
}

/** Joins the parts of a key into a text that is unique for them. */
export const keyOf = (parts: readonly string[]): string =>
  parts.length === 1
    ? (parts[0] ?? '')
    : parts.map((part) => part.replaceAll('%', '%25').replaceAll('/', '%2F')).join('/');

/**
 * The key as import_keys stores it. A key may be longer than the column, and the databases compare only plain
 * letters alike, so other keys are stored as digests.
 */
export const externalIdOf = (key: string): string =>
  /^[\x21-\x7e]{1,200}$/.test(key) ? key : `sha256:${sha256(key)}`;

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** The keys of one entity in one source. Keys are held in memory, rows are not. */
export class ImportKeys {
  /** Whether some rows of the file could not be read. */
  incomplete = false;
  private readonly byExternalId = new Map<string, Known>();
  private readonly storedIds = new Set<string>();

  static async load(connection: Connection, entity: Entity, source: string): Promise<ImportKeys> {
    const columns = new Set<string>(columnKeys(entity.table));
    const of = (column: string): string => (columns.has(column) ? `t.${columnName(column)}` : 'NULL');
    const customer = entity.name === 'customers' ? 't.`id`' : of('customerId');
    const rows = await connection.query(
      `SELECT k.\`external_id\` AS externalId, k.\`id\` AS id, t.\`id\` AS stored, ${customer} AS customerId,` +
        ` ${of('currency')} AS currency FROM ${quote(importKeys.name)} k LEFT JOIN ${quote(entity.table.name)} t` +
        ' ON t.`id` = k.`id` WHERE k.`source` = ? AND k.`entity` = ?',
      [source, entity.name],
    );
    const keys = new ImportKeys();
    for (const row of rows) {
      const known = {
        id: String(row.id),
        stored: row.stored !== null,
        keyed: true,
        customerId: textOrNull(row.customerId),
        currency: textOrNull(row.currency),
        line: 0,
        broken: false,
      };
      keys.byExternalId.set(String(row.externalId), known);
      if (known.stored) keys.storedIds.add(known.id);
    }
    return keys;
  }

  get(key: string): Known | undefined {
    return this.byExternalId.get(externalIdOf(key));
  }

  add(key: string, known: Known): void {
    this.byExternalId.set(externalIdOf(key), known);
  }

  /** Whether a row of the table came from this source. */
  has(id: string): boolean {
    return this.storedIds.has(id);
  }

  /** The number of earlier rows of this source that are no longer in its file. */
  get vanished(): number {
    return [...this.byExternalId.values()].filter(({ stored, line }) => stored && line === 0).length;
  }
}
