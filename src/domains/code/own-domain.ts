import type { Domain, Operation, Resolver } from '../../delegation/resolver-context.js';
import type { TableDescription } from '../../store/sql/describe-tables.js';
import type { AnyTable } from '../../store/tables/table.js';
import type { TypeDeclaration } from '../declared/declaration.js';
import type { CodeField } from './code-fields.js';
import type * as own from './domain.js';
import type { CodeFile } from './load-code.js';
import { operationView, type OwnTables } from './operation-view.js';
import { OnceWork } from './once-work.js';
import { ownTable, type OwnTable } from './own-table.js';
import { kept } from './rows-view.js';

/** What a company's code gives, as a domain. `codeFaults` has found nothing. */
export function ownDomain(
  files: readonly CodeFile[],
  tables: readonly AnyTable[],
  types: readonly TypeDeclaration[],
  descriptions: readonly TableDescription[],
): Domain {
  const byType = new Map(tables.map((table) => [table.type, describedTable(table, types, descriptions)]));
  const resolvers: Record<string, Record<string, Resolver>> = {};
  for (const [type, field, resolver] of files.flatMap(given))
    (resolvers[type] ??= {})[field] =
      type === 'Mutation' ? mutating(resolver, byType, field) : bounded(resolver, byType, byType.has(type));
  return { name: 'company', tables: [], resolvers };
}

const describedTable = (
  table: AnyTable,
  types: readonly TypeDeclaration[],
  descriptions: readonly TableDescription[],
): OwnTable =>
  ownTable(
    table,
    types.find(({ name }) => name === table.type),
    descriptions.find(({ name }) => name === table.name),
  );

const given = ({ resolvers }: CodeFile): (readonly [string, string, own.Resolver])[] =>
  Object.entries(resolvers).flatMap(([type, fields]) =>
    Object.entries(fields).map(([field, resolver]) => [type, field, resolver] as const),
  );

/** What does not fit between a company's files and its SDL. */
export function codeFaults(
  files: readonly CodeFile[],
  fields: readonly CodeField[],
  tables: readonly AnyTable[],
): string[] {
  const faults: string[] = [];
  const byCoordinate = new Map(fields.map((field) => [field.coordinate, field]));
  const givers = new Map<string, string>();
  for (const file of files) {
    for (const [type, name, resolver] of given(file)) {
      const coordinate = `${type}.${name}`;
      const field = byCoordinate.get(coordinate);
      const other = givers.get(coordinate);
      givers.set(coordinate, file.name);
      if (other !== undefined) faults.push(`${file.name}: ${coordinate} has a resolver in ${other} too.`);
      if (field === undefined)
        faults.push(
          `${file.name}: There is a resolver for ${coordinate}, which no file of schema/ declares.`,
        );
      else if (field.code === 'table')
        faults.push(
          `${file.name}: ${coordinate} is read from its table (${field.place}): mark it @code, or leave the resolver out.`,
        );
      const columns = tables.find((table) => table.type === type)?.columns;
      for (const column of resolver.reads ?? [])
        if (columns !== undefined && column !== 'id' && !Object.hasOwn(columns, column))
          faults.push(`${file.name}: ${coordinate} reads the column ${column}, which ${type} does not have.`);
    }
  }
  for (const { coordinate, place, code, lacksKey } of fields) {
    if (code === 'required' && !givers.has(coordinate))
      faults.push(`${place}: ${coordinate} has no resolver: no file of code/ gives one.`);
    if (lacksKey)
      faults.push(`${place}: ${coordinate} is a mutation without \`idempotencyKey: String! @plain\`.`);
  }
  return faults;
}

/** A resolver that sees the operation through its view. @param ofRow whether its parent is a row */
function bounded(resolver: own.Resolver, tables: OwnTables, ofRow: boolean): Resolver {
  const views = new WeakMap<Operation, own.Operation>();
  const viewOf = (operation: Operation): own.Operation => {
    const known = views.get(operation) ?? operationView(operation, tables);
    views.set(operation, known);
    return known;
  };
  const made = (parent: unknown, args: unknown, operation: Operation): unknown =>
    resolver(ofRow ? kept(parent) : parent, args, viewOf(operation));
  return resolver.reads === undefined ? made : Object.assign(made, { reads: resolver.reads });
}

/** A mutation writes under its own scope alone. */
const mutating =
  (resolver: own.Resolver, tables: OwnTables, name: string): Resolver =>
  async (
    parent: unknown,
    args: { readonly idempotencyKey: string },
    operation: Operation,
  ): Promise<unknown> => {
    const work = new OnceWork(name, args.idempotencyKey);
    const writing = { mutation: name, scope: operation.scopeOf(`Mutation.${name}`), work };
    const view = operationView(operation, tables, writing);
    const answer = await (resolver(parent, args, view) as Promise<unknown>);
    work.check();
    return answer;
  };
