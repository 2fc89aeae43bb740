import type { AnswerRows, Operation, Resolver } from '../../delegation/operation.js';

export interface Keyed {
  readonly idempotencyKey: string;
}

/**
 * A mutation that is done once for its key. Its name and the rest of its arguments are the input that the key
 * stands for; `rows` tells which properties of the answer hold a row, and of which table.
 */
export const idempotent =
  (name: string, rows: object, work: (args: never, operation: Operation) => Promise<object>): Resolver =>
  (_root: unknown, args: Keyed, operation: Operation) => {
    const { idempotencyKey, ...input } = args;
    return operation.once(idempotencyKey, { name, ...input }, rows as AnswerRows, () =>
      work(args as never, operation),
    );
  };
