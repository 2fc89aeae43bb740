import { execute, type ExecutionResult } from 'graphql';
import { BehalfError } from '../../core/errors.js';
import type { Operation } from '../../delegation/resolver-context.js';
import { codeOf } from '../errors.js';
import type { Request } from './request.js';

/** Runs an operation by graphql-js. Throws an error after which its transaction has to run again. */
export async function executeByGraphqlJs(
  request: Request,
  contextValue: Operation,
): Promise<ExecutionResult> {
  const result = await execute({
    schema: request.schema,
    document: request.document,
    operationName: request.operation.name?.value,
    variableValues: request.variables,
    contextValue,
  });
  const retry = result.errors?.find(
    (error) => codeOf(error) === undefined && isRunAgain(error.originalError),
  );
  if (retry?.originalError instanceof Error) throw retry.originalError;
  return result;
}

/** A lost race or deadlock inside a resolver has to reach the transaction, which runs again. */
const isRunAgain = (error: unknown): boolean =>
  error instanceof Error &&
  !(error instanceof BehalfError) &&
  ('driverError' in error || error.name === 'RunAgain');
