import type { Trail } from '../audit/trail.js';
import { conflict } from '../core/errors.js';
import { eq, isIn } from '../store/sql/condition.js';
import { columnKeys, type Connection } from '../store/sql/connection.js';
import { isDuplicate } from '../store/sql/database.js';
import { importKeys } from '../store/tables/identity.js';
import type { Converted } from './row-converter.js';
import type { Entity, ImportedRow } from './importable-tables.js';
import { externalIdOf, type Known } from './import-keys.js';

export interface Counts {
  created: number;
  updated: number;
  unchanged: number;
}

export interface PendingRow {
  readonly key: string;
  readonly known: Known;
  readonly columns: Converted;
}

/** Inserts or updates rows of one table, in the caller's transaction. */
export class RowWriter {
  readonly counts: Counts = { created: 0, updated: 0, unchanged: 0 };
  private readonly hasVersion: boolean;

  constructor(
    private readonly tx: Connection,
    private readonly entity: Entity,
    private readonly source: string,
    private readonly trail: Trail,
  ) {
    this.hasVersion = 'version' in entity.table.columns;
  }

  /** Expects few enough rows for one look-up in the table. */
  async write(rows: readonly PendingRow[]): Promise<void> {
    const ids = rows.filter(({ known }) => known.stored).map(({ known }) => known.id);
    const { table, name } = this.entity;
    const stored = new Map(
      (await this.tx.select(table, isIn<ImportedRow>('id', ids), { lock: 'update' })).map((row) => [
        row.id,
        row,
      ]),
    );
    if (stored.size !== ids.length) throw conflict(`Rows of ${name} were removed meanwhile.`);
    try {
      await this.insert(rows.filter(({ known }) => !known.stored));
      for (const row of rows) await this.update(row, stored.get(row.known.id));
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      throw conflict(`A row of ${name} has a number, or a key, that another row has by now.`);
    }
  }

  private async insert(rows: readonly PendingRow[]): Promise<void> {
    const { table, name: entity } = this.entity;
    const empty = Object.fromEntries(columnKeys(table).map((column) => [column, null]));
    await this.tx.insert(
      table,
      rows.map(({ known, columns }) => ({
        ...empty,
        ...columns,
        ...(this.hasVersion && { version: 1 }),
        id: known.id,
      })),
    );
    await this.tx.insert(
      importKeys,
      rows
        .filter(({ known }) => !known.keyed)
        .map(({ key, known }) => ({
          source: this.source,
          entity,
          externalId: externalIdOf(key),
          id: known.id,
        })),
    );
    this.touched(rows, 'create');
    this.counts.created += rows.length;
  }

  /** Compares and changes only the mapped columns. Other columns belong to the people who work here. */
  private async update(row: PendingRow, before: ImportedRow | undefined): Promise<void> {
    if (before === undefined) return;
    const changes: Converted = Object.fromEntries(
      Object.entries(row.columns).filter(([column, value]) => before[column] !== value),
    );
    if (Object.keys(changes).length === 0) {
      this.counts.unchanged += 1;
      return;
    }
    if (this.hasVersion) changes.version = Number(before.version) + 1;
    await this.tx.update(this.entity.table, eq<ImportedRow>('id', before.id), changes);
    this.touched([row], 'update');
    this.counts.updated += 1;
  }

  private touched(rows: readonly PendingRow[], action: 'create' | 'update'): void {
    if (rows.length === 0) return;
    this.trail.touched(
      this.entity.table.type,
      rows.map(({ known }) => known.id),
      action,
    );
  }
}
