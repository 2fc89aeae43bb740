import { isInside } from '../../authority/boundary.js';
import type { Scope } from '../../authority/scope.js';
import { BehalfError, notFound } from '../../core/errors.js';
import { eq, isIn, type Condition } from '../sql/condition.js';
import { refusedByRule, writeFault } from '../sql/write-faults.js';
import type { Table } from '../tables/table.js';
import { dimensionValuesOf } from './dimension-values.js';
import { isIdOf, Rows } from './rows.js';
import type { WordIndex } from './word-index.js';

/**
 * Rows that an operation also changes. A row must be inside the boundary of the scope of the change before and after it.
 * A change that fails undoes the whole operation.
 */
export class WritableRows extends Rows {
  private readonly writesUnderWay: Promise<unknown>[] = [];
  private failedWrite: Error | undefined;

  /** Adds a row, which must lie inside the boundary of `scope`. */
  insert<R extends { id: string }>(table: Table<R>, row: R, scope: Scope): Promise<R> {
    return this.writing(table, async () => {
      await this.connection.insert(table, [row]);
      return this.created(table, row.id, [scope]);
    });
  }

  /**
   * Adds a row of which some values are given; the database has the others. It must lie inside the boundaries of all
   * `scopes`.
   */
  create<R extends { id: string }>(
    table: Table<R>,
    values: Partial<R>,
    scopes: readonly Scope[],
  ): Promise<R> {
    return this.writing(table, async () => {
      const id = await this.connection.insertValues(table, values);
      if (id === undefined) throw refusedByRule();
      return this.created(table, id, scopes);
    });
  }

  /** Changes a row, which must lie inside the boundary of `scope` before and after; else `NOT_FOUND`. */
  update<R extends { id: string }>(
    table: Table<R>,
    id: string,
    changes: Partial<R>,
    scope: Scope,
    expectedVersion?: number,
  ): Promise<R> {
    return this.change(table, id, [scope], (before) => {
      const version = (before as { version?: number }).version;
      if (expectedVersion !== undefined && version !== expectedVersion)
        throw changedMeanwhile(table, version);
      return version === undefined ? changes : { ...changes, version: version + 1 };
    });
  }

  /**
   * Changes a row as `decide` says of the row as it is. It must lie inside the boundaries of all `scopes` before and
   * after; else `NOT_FOUND`.
   */
  change<R extends { id: string }>(
    table: Table<R>,
    id: string,
    scopes: readonly Scope[],
    decide: (before: R) => Partial<R>,
  ): Promise<R> {
    return this.writing(table, async () => {
      const before = this.written(table, await this.inside(table, id, scopes, true));
      const changed = await this.connection.update(table, eq<R>('id', id), decide(before));
      if (changed !== 1) throw refusedByRule();
      this.forget();
      this.observer.touched(table.type, [id], 'update');
      return this.written(table, await this.inside(table, id, scopes));
    });
  }

  /** Deletes a row that lies inside the boundary of `scope`, unless `check` throws. */
  remove<R extends { id: string }>(
    table: Table<R>,
    id: string,
    scope: Scope,
    check: (before: R) => void,
  ): Promise<void> {
    return this.writing(table, async () => {
      check(this.written(table, await this.inside(table, id, scope, true)));
      const deleted = await this.connection.delete(table, eq<R>('id', id));
      if (deleted !== 1) throw refusedByRule();
      this.forget();
      this.observer.touched(table.type, [id], 'delete');
    });
  }

  private async created<R extends { id: string }>(
    table: Table<R>,
    id: string,
    scopes: readonly Scope[],
  ): Promise<R> {
    this.forget();
    this.observer.touched(table.type, [id], 'create');
    return this.written(table, await this.inside(table, id, scopes));
  }

  /** A write that fails undoes the whole operation, also where the failure is caught: see `writes`. */
  private writing<T>({ type }: { readonly type: string }, write: () => Promise<T>): Promise<T> {
    const done = write().catch((error: unknown) => {
      const fault = this.reads.statements.asUnavailable(writeFault(error, type));
      this.failedWrite ??= fault instanceof Error ? fault : new Error(String(fault));
      throw fault;
    });
    this.writesUnderWay.push(done);
    return done;
  }

  /** Resolves when no write is under way. Throws where one has failed: what was written must not be kept. */
  async writes(): Promise<void> {
    while (this.writesUnderWay.length > 0) await Promise.allSettled(this.writesUnderWay.splice(0));
    if (this.failedWrite !== undefined) throw this.failedWrite;
  }

  /**
   * Adds rows that the server derives from a parent row, such as a document's version. Throws `NOT_FOUND`
   * where the parent or the added rows are outside the boundary of `scope`. They are part of the parent: the
   * row access observer is told of the parent only.
   */
  addParts<P extends { id: string }, R extends { id: string }>(
    parent: { readonly table: Table<P>; readonly id: string },
    parts: { readonly table: Table<R>; readonly column: keyof R & string },
    rows: readonly R[],
    scope: Scope,
  ): Promise<void> {
    return this.writeParts(parent, parts, rows, scope, () => this.connection.insert(parts.table, rows));
  }

  /** As `addParts`, but replaces the parent's earlier rows. For rows of a word index. */
  replaceParts<P extends { id: string }, R extends { id: string }>(
    parent: { readonly table: Table<P>; readonly id: string },
    parts: { readonly index: WordIndex<R>; readonly column: keyof R & string },
    rows: readonly R[],
    scope: Scope,
  ): Promise<void> {
    const { index, column } = parts;
    return this.writeParts(parent, { table: index.table, column }, rows, scope, () =>
      index.replace(this.connection, column, parent.id, rows),
    );
  }

  private writeParts<P extends { id: string }, R extends { id: string }>(
    parent: { readonly table: Table<P>; readonly id: string },
    parts: { readonly table: Table<R>; readonly column: keyof R & string },
    rows: readonly R[],
    scope: Scope,
    write: () => Promise<void>,
  ): Promise<void> {
    return this.writing(parent.table, async () => {
      await this.inside(parent.table, parent.id, scope);
      if (rows.some((row) => row[parts.column] !== parent.id))
        throw new Error('A part names another parent.');
      await write();
      this.forget();
      const ids = rows.map((row) => row.id);
      const inside = await this.reads.count(parts.table, isIn<R>('id', ids), [scope]);
      if (inside !== rows.length) throw notFound(parent.table.type);
    });
  }

  /**
   * Reads a row for a change under one or several scopes. Throws `NOT_FOUND` where it is outside of a boundary.
   */
  async inside<R extends { id: string }>(
    table: Table<R>,
    id: string,
    under: Scope | readonly Scope[],
    lock = false,
  ): Promise<R> {
    if (!isIdOf(table, id)) throw notFound(table.type);
    const scopes = typeof under === 'string' ? [under] : under;
    const rows = await this.reads.rows(table, { where: eq<R>('id', id), scopes, limit: 1, lock });
    const row = rows[0];
    if (row === undefined) throw notFound(table.type);
    return row;
  }

  /**
   * Whether a row that a write under `scope` refers to is inside that scope's boundary. The type's own scope
   * is not needed, because the row is not read.
   */
  async exists<R>(table: Table<R>, where: Condition<R>, scope: Scope): Promise<boolean> {
    this.observer.looked(table.type, 'aggregate', 1);
    return (await this.reads.count(table, where, [scope])) > 0;
  }

  /**
   * Whether a message may show figures from rows that this scope reads and that belong to this row. A caller
   * who may only write them learns that a change is refused, but not by how much.
   */
  mayTell(row: object, scope: Scope): boolean {
    return (dimensionValuesOf(row) ?? []).some((values) =>
      isInside(this.authority.boundaries(scope), values),
    );
  }

  private written<R extends object>(table: Table<R>, row: R): R {
    for (const values of dimensionValuesOf(row) ?? []) this.observer.wrote(table.type, values);
    return row;
  }
}

/** Somebody changed the row after the caller read it. @param version of now, where callers know it by that */
export const changedMeanwhile = ({ type }: { readonly type: string }, version?: number): BehalfError =>
  new BehalfError(
    'CONFLICT',
    `${type} has changed meanwhile${version === undefined ? '' : `: it is at version ${String(version)}`}.`,
    { hint: 'Read it again and repeat the change on what you find.' },
  );
