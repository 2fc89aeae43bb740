import { badInput, notFound } from '../../core/errors.js';
import type { Scope } from '../../authority/scope.js';
import type { Operation, Resolver } from '../../delegation/resolver-context.js';
import { changedMeanwhile } from '../../store/bounded/writable-rows.js';
import { asText } from '../../store/sql/column-values.js';
import { eq } from '../../store/sql/condition.js';
import type { Column } from '../../store/tables/column.js';
import type { Table } from '../../store/tables/table.js';
import { writtenValue } from '../../store/tables/written-values.js';
import { idempotent, type Keyed } from '../idempotent.js';
import {
  inputName,
  type TypeDeclaration,
  type WritableField,
  type WriteDeclaration,
  type Writing,
} from './declaration.js';
import { toStored } from './enums.js';
import type { Row } from './list-query.js';
import { rowField } from './made-mutations.js';
import type { RowVersion } from './row-version.js';

/** A field that callers write, with the columns of its row that hold it. */
interface WrittenField {
  readonly field: WritableField;
  readonly properties: readonly string[];
  readonly columns: readonly Column<unknown>[];
  /** The table to whose rows a reference leads. */
  readonly to: Table<Row> | undefined;
  readonly isEnum: boolean;
}

/** A type with everything that its mutations need. */
export interface WrittenType {
  readonly type: TypeDeclaration;
  readonly table: Table<Row>;
  readonly fields: readonly WrittenField[];
  readonly version: RowVersion | undefined;
}

type Changes = Readonly<Record<string, unknown>>;

interface ChangeArgs extends Keyed {
  readonly id: string;
  readonly expectedVersion: string;
}

/** The mutations of a type by their names. */
export function writeResolvers(written: WrittenType): Record<string, Resolver> {
  const { type, table } = written;
  const { create, update, delete: remove } = type.writes;
  const made: Record<string, Resolver> = {};
  const add = (
    { mutation }: WriteDeclaration,
    rows: object,
    work: (args: never, operation: Operation) => Promise<object>,
  ): void => {
    made[mutation] = idempotent(mutation, rows, work);
  };
  const answer = rowField(type);
  if (create !== undefined)
    add(create, { [answer]: table }, async ({ values }: { values: Changes }, operation) => {
      const { columns, scopes } = await columnsIn(
        written,
        'CREATE',
        values,
        'values',
        create.scope,
        operation,
      );
      return { [answer]: await operation.rows.create(table, columns, scopes) };
    });
  if (update !== undefined)
    add(update, { [answer]: table }, async (args: ChangeArgs & { changes: Changes }, operation) => {
      const { changes, id, expectedVersion } = args;
      const { columns, scopes } = await columnsIn(
        written,
        'UPDATE',
        changes,
        'changes',
        update.scope,
        operation,
      );
      if (Object.keys(columns).length === 0)
        throw badInput('`changes` is empty: say what to change.', 'changes');
      const row = await operation.rows.change(table, id, scopes, (before) => {
        checkVersion(written, before, expectedVersion, operation);
        return { ...columns, ...written.version?.next(before) };
      });
      return { [answer]: row };
    });
  if (remove !== undefined)
    add(remove, {}, async ({ id, expectedVersion }: ChangeArgs, operation) => {
      await operation.rows.remove(table, id, remove.scope, (before) => {
        checkVersion(written, before, expectedVersion, operation);
      });
      return { deletedId: id };
    });
  return made;
}

function checkVersion(
  { table, version }: WrittenType,
  row: Row,
  expected: string,
  operation: Operation,
): void {
  if (version?.of(row, operation) !== expected) throw changedMeanwhile(table);
}

/** What an input says of the row's columns, and the scopes that this needs. */
async function columnsIn(
  { fields }: WrittenType,
  writing: Writing,
  input: Changes,
  path: string,
  scope: Scope,
  operation: Operation,
): Promise<{ readonly columns: Partial<Row>; readonly scopes: readonly Scope[] }> {
  const columns: Record<string, unknown> = {};
  const scopes = new Set([scope]);
  for (const written of fields) {
    const { field } = written;
    const value = input[inputName(field)];
    if (value === undefined || !field.writing.on.includes(writing)) continue;
    const under = field.writing.scope === undefined ? [scope] : [scope, field.writing.scope];
    for (const one of under) scopes.add(one);
    const at = `${path}.${inputName(field)}`;
    const values = await valuesOf(written, value, at, under, operation);
    written.properties.forEach((property, index) => (columns[property] = values[index]));
  }
  return { columns: columns, scopes: [...scopes] };
}

/** The values of a field's columns. A reference names a row inside the boundaries of the scopes under which it is written. */
async function valuesOf(
  { field, columns, to, isEnum }: WrittenField,
  value: unknown,
  path: string,
  scopes: readonly Scope[],
  { rows }: Operation,
): Promise<readonly unknown[]> {
  if (to === undefined || value === null)
    return columns.map((column) =>
      writtenValue(column, isEnum && typeof value === 'string' ? toStored(value) : value, path),
    );
  const id = asText(value);
  const key = to.key === undefined ? [id] : to.key.valuesOf(id);
  if (key === undefined) throw notFound(field.type);
  for (const scope of scopes)
    if (!(await rows.exists(to, eq<Row>('id', id), scope))) throw notFound(field.type);
  return key;
}
