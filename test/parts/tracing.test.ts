// databases: sqlite, mariadb
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestServer } from '../support/server.js';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

const bodies: string[] = [];
let collector: Server;
let url: string;

beforeAll(async () => {
  collector = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      bodies.push(body);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  url = `http://127.0.0.1:${String((collector.address() as AddressInfo).port)}/v1/traces`;
});
afterAll(() => {
  collector.close();
});

const isLoaded = (): boolean =>
  Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('sdk-trace-node'));
const query = '{ customers(filter: { numbers: ["Quetzal"] }) { nodes { id } } }';
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

const spansOf = (): Span[] =>
  bodies
    .map((body) => JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] })
    .flatMap(({ resourceSpans }) => resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans);

const said = ({ attributes }: Span): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

test('without an endpoint nothing of tracing is loaded', async () => {
  const server = await TestServer.start();
  const person = await server.person({ scopes: ['customers:read'] });
  expect((await server.post(person.token, JSON.stringify({ query }), { traceparent })).errors).toEqual([]);
  await server.stop();
  expect(isLoaded()).toBe(false);
  expect(bodies).toEqual([]);
});

test('every operation is a trace of its steps that tells neither values nor tokens, and none is lost at the end', async () => {
  const server = await TestServer.start({}, { BEHALF_OTLP_URL: url });
  const person = await server.person({ scopes: ['customers:read', 'tickets:read'] });
  const rights = { scopes: ['customers:read', 'tickets:read'] };
  const agent = await server.agent(person, rights, { scopes: ['customers:read'] });
  const named = JSON.stringify({ query: `query Find ${query}` });
  const answer = await server.post(agent.token, named, { traceparent });
  const refused = await server.query(agent.token, '{ tickets { nodes { id } } }');
  await server.stop();
  expect(isLoaded()).toBe(true);

  const spans = spansOf();
  const roots = spans.filter(({ name }) => name.startsWith('graphql '));
  expect(roots).toHaveLength(2);
  const [first, second] = roots as [Span, Span];
  expect([first.name, first.traceId, first.parentSpanId]).toEqual([
    'graphql query',
    traceId,
    '00f067aa0ba902b7',
  ]);
  expect(said(first)).toMatchObject({
    'behalf.operation.id': answer.headers.get('behalf-operation-id'),
    'behalf.operation.outcome': 'succeeded',
    'graphql.operation.type': 'query',
    'graphql.operation.name': 'Find',
  });
  expect(Number(said(first)['behalf.delegation.depth'])).toBe(1);
  expect(said(second)).toMatchObject({
    'behalf.operation.id': refused.headers.get('behalf-operation-id'),
    'behalf.operation.outcome': 'refused',
    'behalf.error.code': 'FORBIDDEN',
  });
  expect(second.traceId).not.toBe(traceId);
  expect(second.parentSpanId ?? '').toBe('');

  const steps = spans.filter(({ parentSpanId }) => parentSpanId === first.spanId);
  expect(steps.map(({ name }) => name)).toEqual(['authenticate', 'wait', 'execute', 'release']);
  const times = steps.flatMap((step) => [BigInt(step.startTimeUnixNano), BigInt(step.endTimeUnixNano)]);
  expect(times.every((time, at) => at === 0 || time >= (times[at - 1] ?? time))).toBe(true);
  const text = bodies.join();
  for (const secret of ['Quetzal', agent.token, agent.name, person.name]) expect(text).not.toContain(secret);
});
