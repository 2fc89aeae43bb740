import type { ErrorCode } from '../../core/errors.js';
import { documentAdvice } from '../../operation/document-advice.js';

/** Advice in one sentence, for an error that has no hint of its own. */
export function adviceOn(code: string | undefined, message: string): string | undefined {
  switch (code as ErrorCode | undefined) {
    case 'BAD_USER_INPUT':
      // Messages of our own say it themselves.
      return documentAdvice(message);
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
