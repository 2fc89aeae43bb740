import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import type { DocumentNode, ExecutionResult, GraphQLSchema } from 'graphql';
import type { Askings } from './asked.js';

/** Runs a compiled operation. Errors in its result say only that there were some: run it again by graphql-js. */
export type Compiled = (
  contextValue: unknown,
  variables: Readonly<Record<string, unknown>>,
) => ExecutionResult | Promise<ExecutionResult>;

/** Undefined for what the compiler does not take. The document must be valid. */
export function compile(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
  askings: Askings,
): Compiled | undefined {
  const compiled = compileQuery(schema, document, operationName, {
    disablingCapturingStackErrors: true,
    resolverInfoEnricher: ({ fieldNodes, fragments, returnType }) => ({
      asked: askings.read({ fieldNodes, fragments, returnType }),
    }),
  });
  if (!isQuery(compiled)) return undefined;
  return (contextValue, variables) => compiled.query(undefined, contextValue, variables);
}

const isQuery = (compiled: CompiledQuery | ExecutionResult): compiled is CompiledQuery =>
  isCompiledQuery(compiled);
