import {
  inspectorOf,
  whatOf,
  whoOf,
  type AuditBody,
  type Outcome,
  type RecordedError,
} from '../../audit/record.js';
import { isoTime } from '../../core/clock.js';
import type { BehalfError, ErrorCode } from '../../core/errors.js';
import type { Finished } from '../../delegation/commit-gate.js';
import type { Call } from './call.js';

const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'INSUFFICIENT_USER_AUTHENTICATION',
  'APPROVAL_REQUIRED',
  'LIMIT_EXCEEDED',
]);

function outcomeOf(errors: readonly RecordedError[], hasData: boolean): Outcome {
  if (errors.length === 0) return 'succeeded';
  if (hasData) return 'partial';
  return errors.some((error) => refusals.has(error.code)) ? 'refused' : 'failed';
}

/** An error of the whole operation, for its record. */
export const recordedError = ({ code, details: { limit } }: BehalfError): RecordedError =>
  limit === undefined ? { code } : { code, limit };

/** A call as the commit gate takes it: its charge and its record. The operation is over: nobody reads for it any more. */
export function finishedOf(call: Call, errors: readonly RecordedError[], hasData: boolean): Finished {
  call.marks.releasing = performance.now();
  call.trail.end();
  const record = (refusal: BehalfError | undefined): AuditBody => {
    const recorded = refusal === undefined ? errors : [recordedError(refusal)];
    const outcome = outcomeOf(recorded, hasData && refusal === undefined);
    call.outcome = outcome;
    call.errorCode = recorded[0]?.code;
    return {
      operationId: call.id,
      at: isoTime(call.startedAt),
      kind: 'graphql',
      outcome,
      ...(call.isInspection ? inspectorOf(call.authority) : whoOf(call.authority)),
      operation: {
        name: call.operationName?.slice(0, 200) ?? null,
        type: call.operationType,
        documentHash: call.documentHash,
        ...call.document,
      },
      variables: call.variables,
      arguments: call.literals,
      ...whatOf(call.trail),
      errors: recorded,
      durationMs: call.durationMs,
      source: call.source,
      ...(call.mcp === undefined ? {} : { mcp: call.mcp }),
      detail: call.isInspection ? { inspection: true } : {},
    };
  };
  return {
    authority: call.authority,
    isOptimistic: call.isOptimistic,
    isFree: call.isFree,
    look: call.look,
    restsOn: call.restsOn,
    rows: call.trail.rowCount,
    record,
  };
}
