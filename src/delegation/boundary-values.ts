import type { Authority } from '../authority/authority.js';
import { parseBoundary, selfValue, unite, type Boundaries, type ValueSet } from '../authority/boundary.js';
import type { Scope } from '../authority/scope.js';
import { badInput, BehalfError, internal } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { visibleLine } from '../core/checked-text.js';
import { asText } from '../store/sql/column-values.js';
import { columnName, quote } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { boundarySql } from '../store/bounded/row-types.js';
import type { RowType } from '../store/bounded/row-type.js';
import type { StoredBoundary } from '../store/tables/identity.js';
import type { Catalog, DimensionSource } from './schema-catalog.js';

type RowSource = Extract<DimensionSource, { kind: 'rows' }>;

/** Boundaries become SQL parameters in every statement, so their number is bounded. */
const valuesMax = 500;

/** Parses a caller's boundary. `self` is the person; an empty list allows nothing. */
export function readBoundary(
  catalog: Pick<Catalog, 'dimensions'>,
  stored: StoredBoundary,
  self?: string,
): Map<string, ValueSet> {
  const read = new Map<string, ValueSet>();
  for (const [dimension, values] of Object.entries(stored)) {
    if (!catalog.dimensions.has(dimension)) {
      throw badInput(`There is no dimension \`${visibleLine(dimension, 100, 'boundary')}\`.`, 'boundary');
    }
    if (values !== 'all' && values.length > valuesMax) {
      throw badInput(`A dimension has at most ${String(valuesMax)} values.`, 'boundary');
    }
    const known = values === 'all' ? values : values.map((value) => visibleLine(value, 200, 'boundary'));
    const parsed = parseBoundary({ [dimension]: known }, self).get(dimension);
    read.set(dimension, parsed ?? new Set());
  }
  return read;
}

/**
 * Faults of dimensions whose values, or their numbers, are in no column, so that no caller could name one.
 */
export function dimensionFaults(catalog: Catalog): string[] {
  return [...catalog.dimensions].flatMap(([dimension, { source }]) => {
    if (source?.kind !== 'rows') return [];
    const { columns } = typeOf(catalog, source).table;
    return [source.column, source.number?.column]
      .filter((column) => column !== undefined && columns[column] === undefined)
      .map((column) => `dimension ${dimension}: ${source.type}.${String(column)} is no column`);
  });
}

/** Refuses values that can never exist. A role may name values that do not exist yet. */
export function requirePossible(catalog: Catalog, boundary: ReadonlyMap<string, ValueSet>): void {
  for (const [dimension, values] of boundary) {
    const source = catalog.dimensions.get(dimension)?.source;
    if (source === undefined || values === 'all') continue;
    const kind =
      source.kind === 'rows' ? typeOf(catalog, source).table.columns[source.column]?.kind : undefined;
    for (const value of values) {
      const isPossible =
        source.kind === 'words'
          ? source.words.includes(value)
          : kind !== 'id' || isId(value) || value === selfValue;
      if (!isPossible) throw namesNothing(catalog, dimension, value);
    }
  }
}

/** The values of each dimension, each with the caller's own text for it. */
type NamedValues = ReadonlyMap<string, ReadonlyMap<string, string> | 'all'>;

/** Looks up boundary values, as far as the giver may know of them. */
export class BoundaryLookup {
  constructor(
    private readonly tx: Connection,
    private readonly catalog: Catalog,
    private readonly giver: Authority,
  ) {}

  /**
   * Replaces the numbers that the giver can read by ids. Other numbers stay unchanged, so that a hidden
   * number and a missing one are refused alike.
   */
  async read(boundary: ReadonlyMap<string, ValueSet>): Promise<NamedValues> {
    const named = new Map<string, ReadonlyMap<string, string> | 'all'>();
    for (const [dimension, values] of boundary) {
      named.set(dimension, values === 'all' ? values : await this.identified(dimension, [...values]));
    }
    return named;
  }

  private async identified(dimension: string, values: readonly string[]): Promise<Map<string, string>> {
    const source = this.catalog.dimensions.get(dimension)?.source;
    const itself = values.map((value): [string, string] => [value, value]);
    if (source?.kind === 'words') {
      const stray = values.find((value) => !source.words.includes(value));
      if (stray !== undefined) throw namesNothing(this.catalog, dimension, stray);
    }
    if (source?.kind !== 'rows' || source.number === undefined) return new Map(itself);
    const numbers = values.filter((value) => !isId(value));
    const { column, scope } = source.number;
    const ids = await this.find(source, column, numbers, this.giver.boundaries(scope));
    return new Map(values.map((value) => [ids.get(value) ?? value, value]));
  }

  /**
   * Refuses a value that names nothing within the giver's reach. Values in the giver's own boundary are not
   * looked up: another party has already chosen them, and they may name rows that do not exist yet.
   */
  async require(named: NamedValues, scopes: readonly Scope[]): Promise<void> {
    for (const [dimension, values] of named) {
      const source = this.catalog.dimensions.get(dimension)?.source;
      if (values === 'all' || source?.kind !== 'rows') continue;
      const unknown = [...values.keys()].filter((value) => !this.isNamed(dimension, value, scopes));
      const found = await this.find(source, source.column, unknown, this.reach(dimension, scopes));
      const stray = unknown.find((value) => !found.has(value));
      if (stray !== undefined) throw namesNothing(this.catalog, dimension, values.get(stray) ?? stray);
    }
  }

  private isNamed(dimension: string, value: string, scopes: readonly Scope[]): boolean {
    if (value === this.giver.chain.person.id) return true;
    const sets = scopes.flatMap((scope) => this.giver.boundaries(scope).map((one) => one.get(dimension)));
    return sets.some((set) => set !== undefined && set !== 'all' && set.has(value));
  }

  /**
   * Where the giver sees rows with the dimension: by the scopes to be delegated or, where those show no such
   * row, by any scope. A giver who sees no such row learns nothing about its values.
   */
  private reach(dimension: string, scopes: readonly Scope[]): Boundaries {
    const showing = new Set(
      this.catalog.types.all.filter((type) => type.dimensions.has(dimension)).map((type) => type.scope),
    );
    const handed = scopes.filter((scope) => showing.has(scope));
    return (handed.length > 0 ? handed : [...showing]).reduce<Boundaries>(
      (all, scope) => unite(all, this.giver.boundaries(scope)),
      [],
    );
  }

  /** Maps each value that a row inside the boundaries has in `column` to that row's dimension value. */
  private async find(
    source: RowSource,
    column: string,
    values: readonly string[],
    boundaries: Boundaries,
  ): Promise<Map<string, string>> {
    if (values.length === 0 || boundaries.length === 0) return new Map();
    const type = typeOf(this.catalog, source);
    const inside = boundarySql(type, 't', boundaries, this.tx.dialect, 'checked');
    const rows = await this.tx.query(
      `SELECT j.\`value\` AS \`said\`, (SELECT t.${columnName(source.column)} FROM ${quote(type.table.name)} t ` +
        `WHERE t.${columnName(column)} = j.\`value\` AND (${inside.text}) LIMIT 1) AS \`found\` FROM ${list[this.tx.dialect]} j`,
      [...inside.params, JSON.stringify(values)],
    );
    return new Map(
      rows.flatMap(({ said, found }) => (found === null ? [] : [[asText(said), asText(found)] as const])),
    );
  }
}

/** A list of texts as a table, so that the statement is the same for any number of texts. */
const list = {
  sqlite: 'json_each(?)',
  mysql: "JSON_TABLE(?, '$[*]' COLUMNS (`value` VARCHAR(200) CHARACTER SET utf8mb4 PATH '$' ERROR ON ERROR))",
} as const;

function typeOf({ types }: Catalog, { type }: RowSource): RowType {
  const found = types.all.find((one) => one.type === type);
  if (found === undefined) throw internal(new Error(`${type} is not declared @rows`));
  return found;
}

const namesNothing = (catalog: Catalog, dimension: string, value: string): BehalfError =>
  new BehalfError('BAD_USER_INPUT', `"${value}" is no \`${dimension}\` within your reach.`, {
    path: `boundary.${dimension}`,
    hint: `\`${dimension}\`: ${catalog.dimensions.get(dimension)?.description ?? ''}`,
  });

/** Parses `{ "region": ["europe"], "customer": "all" }`. Throws `BAD_USER_INPUT` for any other form. */
export function readStoredBoundary(boundary: unknown): StoredBoundary | undefined {
  if (boundary === undefined) return undefined;
  const fault = badInput('`boundary` gives for each dimension a list of values, or `all`.', 'boundary');
  if (typeof boundary !== 'object' || boundary === null || Array.isArray(boundary)) throw fault;
  const read: StoredBoundary = {};
  for (const [dimension, values] of Object.entries(boundary) as [string, unknown][]) {
    if (values === 'all') read[dimension] = 'all';
    else if (Array.isArray(values) && values.every((value) => typeof value === 'string')) {
      read[dimension] = values;
    } else throw fault;
  }
  return read;
}
