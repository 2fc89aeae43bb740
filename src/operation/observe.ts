import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import type { Call } from '../graphql/execute/call.js';
import type { Tracing } from './tracing.js';

/** Called once for each operation: when its record is durable, or it is certain that there will be none. */
export type Observe = (call: Call, traceparent: string | undefined) => void;

/** Counts the operation, logs one line without personal data, and makes its spans. */
export const makeObserve =
  (metrics: Metrics, logger: Logger, tracing: Tracing | undefined): Observe =>
  (call, traceparent) => {
    const { outcome } = call;
    if (outcome === undefined) return;
    const type = call.operationType ?? 'none';
    const code = call.errorCode ?? 'none';
    const durationMs = call.marks.recorded - call.marks.arrived;
    const { refusals, rowCount } = call.trail;
    metrics.operation({ type, outcome, code, seconds: durationMs / 1000, refusals });
    if (logger.isLevelEnabled('debug'))
      logger.debug(
        {
          operationId: call.id,
          type,
          outcome,
          code,
          durationMs: Math.round(durationMs * 10) / 10,
          rows: rowCount,
          delegationId: call.authority.task?.delegationId ?? null,
          documentHash: call.documentHash,
        },
        'operation',
      );
    tracing?.operation(call, outcome, traceparent);
  };
