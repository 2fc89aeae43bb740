import type { Context, SpanContext, Tracer } from '@opentelemetry/api';
import type { Outcome } from '../audit/record.js';
import type { Logger } from '../core/logger.js';
import type { Call } from '../graphql/execute/call.js';

/** Makes the spans of an operation from its marks when it is done; nothing is traced while it runs. */
export interface Tracing {
  operation(call: Call, outcome: Outcome, traceparent: string | undefined): void;
  /** Sends the remaining spans, within the exporter's time-out. */
  close(): Promise<void>;
}

/**
 * Sends traces to an OTLP/HTTP endpoint such as `http://127.0.0.1:4318/v1/traces`. A server without traces never loads
 * the libraries. Headers for the endpoint come from `OTEL_EXPORTER_OTLP_HEADERS`.
 */
export async function startTracing(url: string, version: string, logger: Logger): Promise<Tracing> {
  const [api, sdk, resources, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  // The default name of the service; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` replace it.
  const named = resources.resourceFromAttributes({ 'service.name': 'behalf', 'service.version': version });
  const detected = resources.detectResources({ detectors: [resources.envDetector] });
  const provider = new sdk.NodeTracerProvider({
    resource: named.merge(detected),
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter({ url }))],
  });
  const tracer = provider.getTracer('behalf', version);
  const parentOf = (traceparent: string | undefined): Context => {
    const parent = parseTraceparent(traceparent);
    return parent === undefined
      ? api.ROOT_CONTEXT
      : api.trace.setSpanContext(api.ROOT_CONTEXT, { ...parent, isRemote: true });
  };
  return {
    operation(call, outcome, traceparent) {
      const { marks } = call;
      const attributes = {
        'behalf.operation.id': call.id,
        'behalf.operation.outcome': outcome,
        'behalf.delegation.depth': call.authority.chain.agents.length,
        ...(call.operationType !== null && { 'graphql.operation.type': call.operationType }),
        ...(call.operationName !== null && { 'graphql.operation.name': call.operationName.slice(0, 200) }),
        ...(call.errorCode !== undefined && { 'behalf.error.code': call.errorCode }),
      };
      const name = `graphql ${call.operationType ?? 'request'}`;
      const options = { kind: api.SpanKind.SERVER, startTime: epochMs(marks.arrived), attributes };
      const span = tracer.startSpan(name, options, parentOf(traceparent));
      if (outcome === 'failed') span.setStatus({ code: api.SpanStatusCode.ERROR });
      const inside = api.trace.setSpan(api.ROOT_CONTEXT, span);
      for (const step of stepsOf(call)) startAndEnd(tracer, inside, step);
      span.end(epochMs(marks.recorded));
    },
    async close() {
      await provider.shutdown().catch((error: unknown) => {
        logger.warn({ err: error }, 'the last traces could not be sent');
      });
    },
  };
}

interface Step {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** The steps of any outcome; a skipped step has no span. */
function stepsOf({ marks }: Call): Step[] {
  const { arrived, authenticated, admitted, releasing, recorded } = marks;
  const steps = [
    { name: 'authenticate', from: arrived, to: authenticated },
    { name: 'wait', from: authenticated, to: admitted },
    { name: 'execute', from: admitted, to: releasing },
    { name: 'release', from: releasing, to: recorded },
  ];
  return steps.filter(({ from, to }) => from > 0 && to >= from);
}

function startAndEnd(tracer: Tracer, inside: Context, { name, from, to }: Step): void {
  tracer.startSpan(name, { startTime: epochMs(from) }, inside).end(epochMs(to));
}

/** `performance.now()` as milliseconds since the epoch. */
const epochMs = (mark: number): number => performance.timeOrigin + mark;

/** W3C Trace Context, section 3.2: version, trace id, parent id and flags. Ids of zeros are invalid. */
export function parseTraceparent(header: string | undefined): SpanContext | undefined {
  const [, version, traceId, spanId, flags, rest] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || version === 'ff') return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags ?? '0', 16) & 1 };
}
