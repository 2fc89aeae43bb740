import type { ErrorCode } from '../../core/errors.js';

/** Advice about faults of a document, by the words of their messages. */
const documentAdvice: readonly (readonly [RegExp, string])[] = [
  [/^Syntax Error/, 'Mend the syntax of `document`, and send it again.'],
  [/^Variable "\$/, 'Send `variables` with a fitting value for it.'],
  [/`operationName`/, 'Send exactly one operation in `document`.'],
  [/^This runs a query,/, 'Send a mutation by `mutate`.'],
  [/^This runs a mutation,/, 'Send a query by `query`.'],
  [
    /^(?:Cannot query field|Unknown |Field |Value |Expected value|Enum )|" is not defined by /,
    'Look for the right names and types with `search_schema`, then send it again.',
  ],
];

/** Advice in one sentence, for an error that has no hint of its own. */
export function adviceOn(code: string | undefined, message: string): string | undefined {
  switch (code as ErrorCode | undefined) {
    case 'BAD_USER_INPUT':
      // Messages of our own say it themselves.
      return documentAdvice.find(([words]) => words.test(message))?.[1];
    case 'FORBIDDEN':
    case 'APPROVAL_REQUIRED':
    case 'LIMIT_EXCEEDED':
      return 'Call `explain_refusal` with this `operationId`.';
    case 'NOT_FOUND':
      return 'Check the id; it may also lie outside what this task may reach.';
    case 'CONFLICT':
      return 'Read it again, and decide anew.';
    case 'QUERY_TOO_COMPLEX':
      return 'Ask for less at once.';
    case 'UNAVAILABLE':
    case 'AUDIT_UNAVAILABLE':
    case 'INTERNAL':
      return 'Try again later; an operator finds the cause by the `operationId`.';
    default:
      return undefined;
  }
}
