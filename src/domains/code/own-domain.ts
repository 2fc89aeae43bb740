import type { Domain, Operation, Resolver } from '../../delegation/resolver-context.js';
import type { TableDescription } from '../../store/sql/describe-tables.js';
import type { AnyTable } from '../../store/tables/table.js';
import type { TypeDeclaration } from '../declared/declaration.js';
import type * as own from './domain.js';
import { resolversIn, type CodeFile } from './code-file.js';
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
  for (const [type, field, resolver] of files.flatMap(resolversIn))
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
