import type { Authority } from '../authority/authority.js';
import type { AuditBody, RecordedError } from '../audit/record.js';
import type { ErrorCode } from '../core/errors.js';
import { explainDecisions, type Refusal } from './refusal.js';

/** Why an operation of the past was refused, by rights as they stand now. */
export interface RefusalReport {
  readonly operationId: string;
  readonly outcome: AuditBody['outcome'];
  readonly refusals: readonly Refusal[];
  readonly person: string;
}

/** Reasons that are told of one operation. */
const refusalsMax = 20;

export function reportRefusals(authority: Authority, record: AuditBody): RefusalReport {
  const { operationId, outcome, errors, decisions } = record;
  const refused = explainDecisions(authority, decisions);
  const others = oneOfEach(errors)
    .filter(({ code }) => code !== 'FORBIDDEN' || decisions.length === 0)
    .map((error) => explainError(authority, error, record));
  const unnamed = decisions.length > 0 && refused.length + others.length === 0 ? [unseen] : [];
  return {
    ...{ operationId, outcome },
    refusals: [...refused, ...others, ...unnamed].slice(0, refusalsMax),
    person: authority.chain.person.displayName,
  };
}

/** Equal errors of many rows are one reason, at the first place. */
const oneOfEach = (errors: readonly RecordedError[]): readonly RecordedError[] => [
  ...new Map(errors.toReversed().map((error) => [`${error.code} ${error.limit ?? ''}`, error])).values(),
];

function explainError(authority: Authority, error: RecordedError, record: AuditBody): Refusal {
  const { path } = error;
  const { displayName } = authority.chain.person;
  const isUnregistered = record.operation?.unregistered?.outcome === 'refused';
  const told =
    isUnregistered && error.code === 'FORBIDDEN' ? unregistered : explanationOf(error, displayName);
  return path === undefined ? told : { ...told, path };
}

const explanationOf = ({ code, limit }: RecordedError, person: string): Refusal =>
  code === 'LIMIT_EXCEEDED' ? ofLimit(limit, person) : ofCode(code, person);

const unregistered: Refusal = {
  layer: 'documents',
  message: 'A role of this chain runs registered documents only, and this was none.',
  next: 'Find a registered one with `search_schema`, and send it by its `documentId`.',
};

const unseen: Refusal = {
  layer: 'request',
  message: 'It named something that is not in the schema as you see it now.',
  next: 'Look for the names with `search_schema`, then send it anew.',
};

function ofLimit(limit: string | undefined, person: string): Refusal {
  switch (limit) {
    case 'load':
    case 'time':
      return {
        layer: 'server',
        message: 'The server had too much to do, or the operation took too long.',
        next: 'Wait a little, then ask again, for less at once.',
      };
    case 'rate':
      return { layer: 'rate', message: 'It came too soon after others.', next: 'Wait, then send it again.' };
    default:
      return {
        layer: 'limits',
        message: `It would have taken more ${limit ?? 'of a limit'} than the task has left.`,
        next: `Call \`whoami\` for what is left, ask for less, or ask ${person} for a new task.`,
      };
  }
}

/** A row outside the boundary is told as one that does not exist. */
function ofCode(code: Exclude<ErrorCode, 'LIMIT_EXCEEDED'>, person: string): Refusal {
  switch (code) {
    case 'FORBIDDEN':
      return {
        layer: 'rule',
        message: 'A rule of this operation itself refused it, as the message of its error said.',
        next: 'Call `whoami` for what the task may do now.',
      };
    case 'NOT_FOUND':
      return {
        layer: 'request',
        message: 'There is no such thing, or it lies outside what this task may reach: both are told alike.',
        next: `Check the id; if it is right, ask ${person} whether the task should reach it.`,
      };
    case 'BAD_USER_INPUT':
      return {
        layer: 'request',
        message: 'The document, an argument or a variable was not valid; nothing was changed.',
        next: 'Check it with `validate`, and send it anew.',
      };
    case 'QUERY_TOO_COMPLEX':
      return {
        layer: 'request',
        message: 'It asked for too much at once.',
        next: 'Ask for smaller pages, fewer levels or fewer fields.',
      };
    case 'CONFLICT':
      return {
        layer: 'request',
        message: 'Something had changed meanwhile, or its state did not allow the change.',
        next: 'Read it again, and decide anew.',
      };
    case 'UNAUTHENTICATED':
      return {
        layer: 'token',
        message: 'The token, or the task behind it, was not valid then.',
        next: 'Send the operation again: your token is valid now.',
      };
    case 'INSUFFICIENT_USER_AUTHENTICATION':
      return {
        layer: 'sign_in',
        message: 'It needs a newer or stronger sign-in of the person.',
        next: `Ask ${person} to sign in again.`,
      };
    case 'APPROVAL_REQUIRED':
      return {
        layer: 'approval',
        message: "It needs a person's approval, which cannot be asked for yet.",
        next: `Ask ${person} to do it.`,
      };
    case 'AUDIT_UNAVAILABLE':
    case 'UNAVAILABLE':
    case 'INTERNAL':
      return {
        layer: 'server',
        message: 'The server failed, not your request.',
        next: 'Try again later; an operator finds the cause by the `operationId`.',
      };
  }
}
