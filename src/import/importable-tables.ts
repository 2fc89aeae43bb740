import { buildSchema, getNamedType, isEnumType, isObjectType } from 'graphql';
import type { Domain } from '../delegation/resolver-context.js';
import { domains } from '../domains/index.js';
import { toStored } from '../domains/declared/enums.js';
import { readSdl } from '../graphql/schema/sdl.js';
import type { Column } from '../store/tables/column.js';
import { unprefixed, type AnyTable, type Table } from '../store/tables/table.js';

export type Value = string | number | boolean | null;
export type ImportedRow = { id: string } & Record<string, Value>;

/** A column that a mapping can fill, by its name in the GraphQL schema. */
export interface Field {
  readonly name: string;
  readonly column: string;
  readonly kind: Column<unknown>['kind'];
  readonly length: number | undefined;
  readonly nullable: boolean;
  /** The entity that it refers to. */
  readonly references: string | undefined;
  /** The allowed values, where the schema has an enum for it. */
  readonly values: readonly string[] | undefined;
}

export interface Entity {
  /** The table's name without the prefix, such as `order_lines`. */
  readonly name: string;
  readonly table: Table<ImportedRow>;
  readonly fields: ReadonlyMap<string, Field>;
  /**
   * The reference to the row whose customer this row shares, such as a line's order. Customer and currency
   * are copied from it and cannot be mapped: an order and its lines must never be on different sides of a
   * boundary.
   */
  readonly owner: Field | undefined;
  /** The columns copied from the owner. */
  readonly inherited: readonly string[];
}

const columnsOf = (table: AnyTable): [string, Column<unknown>][] => Object.entries(table.columns);

const nameOf = ({ name }: AnyTable): string => unprefixed(name);

const referred = ({ references }: Column<unknown>): string | undefined =>
  references === undefined ? undefined : unprefixed(references);

const followed = ['customerId', 'currency'];
const managed = ['id', 'version'];

/** `customerId` becomes `customer` and `totalMinor` becomes `total`, as in the schema. */
const fieldName = (column: string, { kind, references }: Column<unknown>): string => {
  if (references !== undefined) return column.replace(/Id$/, '');
  return kind === 'minor' ? column.replace(/Minor$/, '') : column;
};

/** The importable entities. The smallest cell only affects statistics, so any value serves here. */
export const importable = (): ReadonlyMap<string, Entity> =>
  entitiesOf(domains({ smallestCell: 2 }), readSdl());

/** Every importable table of the installed domains, each after the tables that it refers to. */
function entitiesOf(installed: readonly Domain[], sdl: string): ReadonlyMap<string, Entity> {
  const schema = buildSchema(sdl);
  const enumOf = (type: string, column: string): string[] | undefined => {
    const object = schema.getType(type);
    const field = isObjectType(object) ? object.getFields()[column] : undefined;
    const named = field === undefined ? undefined : getNamedType(field.type);
    return isEnumType(named) ? named.getValues().map((value) => toStored(value.name)) : undefined;
  };
  // Documents need passages and versions, which an imported row would lack.
  const tables = installed.filter((domain) => domain.name !== 'knowledge').flatMap((domain) => domain.tables);
  const byName = new Map(tables.map((table) => [nameOf(table), table]));
  const entities = new Map<string, Entity>();
  const add = (table: AnyTable): void => {
    if (entities.has(nameOf(table))) return;
    const targets = columnsOf(table).flatMap(([, column]) => byName.get(referred(column) ?? '') ?? []);
    for (const target of targets) if (target !== table) add(target);
    entities.set(nameOf(table), entity(table, byName, enumOf));
  };
  for (const table of tables) add(table);
  return entities;
}

function entity(
  table: AnyTable,
  tables: ReadonlyMap<string, AnyTable>,
  enumOf: (type: string, column: string) => string[] | undefined,
): Entity {
  const columns = columnsOf(table);
  const fields = columns.map(([column, kind]): Field => ({
    name: fieldName(column, kind),
    column,
    kind: kind.kind,
    length: kind.length,
    nullable: kind.nullable,
    references: referred(kind),
    values: enumOf(table.type, column),
  }));
  const has = (name: string, column: string): boolean =>
    columnsOf(tables.get(name) ?? table).some(([other]) => other === column);
  const owner = fields.find(
    ({ references, nullable }) =>
      references !== undefined && !nullable && tables.has(references) && has(references, 'customerId'),
  );
  const inherited =
    owner === undefined ? [] : followed.filter((column) => columns.some(([other]) => other === column));
  const open = fields.filter(({ column }) => !managed.includes(column) && !inherited.includes(column));
  return {
    name: nameOf(table),
    table: table as unknown as Table<ImportedRow>,
    fields: new Map(open.map((field) => [field.name, field])),
    owner,
    inherited,
  };
}
