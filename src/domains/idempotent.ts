import type { AnswerRows, Operation, Resolver } from '../delegation/resolver-context.js';

export interface Keyed {
  readonly idempotencyKey: string;
}

/**
 * A mutation that runs once for its key. The key stands for the mutation's name and its other arguments.
 * `rows` names the properties of the answer that hold a row, with the table of each.
 */
export const idempotent =
  (name: string, rows: object, work: (args: never, operation: Operation) => Promise<object>): Resolver =>
  (_root: unknown, args: Keyed, operation: Operation) => {
    const { idempotencyKey, ...input } = args;
    return operation.once(idempotencyKey, { name, ...input }, rows as AnswerRows, () =>
      work(args as never, operation),
    );
  };
