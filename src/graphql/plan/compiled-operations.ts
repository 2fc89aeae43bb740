import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import type { DocumentNode, ExecutionResult, GraphQLSchema } from 'graphql';
import { Lru } from '../../core/lru.js';
import type { ColumnSelections } from '../schema/column-selections.js';

/** Runs a compiled operation. Errors in its result are not exact: run the operation again by graphql-js. */
export type Compiled = (
  contextValue: unknown,
  variables: Readonly<Record<string, unknown>>,
) => ExecutionResult | Promise<ExecutionResult>;

/** The most fields of all compiled operations together; each field takes about a kilobyte. */
const fieldsMax = 50_000;

/** Compiled operations, kept by the object that runs them. The least recently used make room for others. */
export class CompiledOperations {
  readonly kept = new Lru<object, { readonly run: Compiled; readonly size: number }>(
    fieldsMax,
    undefined,
    ({ size }) => size,
  );

  get(of: object): Compiled | undefined {
    return this.kept.get(of)?.run;
  }

  set(of: object, run: Compiled, size: number): void {
    this.kept.set(of, { run, size });
  }

  delete(of: object): void {
    this.kept.delete(of);
  }
}

/** Undefined where the compiler refuses the document. The document must be valid and `compilable`. */
export function compile(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
  columnSelections: ColumnSelections,
): Compiled | undefined {
  const compiled = compileQuery(schema, document, operationName, {
    disablingCapturingStackErrors: true,
    resolverInfoEnricher: (info) => columnSelections.enriching(info),
  });
  if (!isQuery(compiled)) return undefined;
  return (contextValue, variables) => compiled.query(undefined, contextValue, variables);
}

const isQuery = (compiled: CompiledQuery | ExecutionResult): compiled is CompiledQuery =>
  isCompiledQuery(compiled);
