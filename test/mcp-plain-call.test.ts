import { classifyInboundRequest, isSpecType } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainCallIn } from '../src/transports/mcp/plain-call.js';
import { volume } from './support/volume.js';

const revision = '2026-07-28';
const valid = {
  headers: { 'mcp-protocol-version': revision, 'mcp-method': 'tools/call', 'mcp-name': 'query' },
  body: {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'query',
      arguments: { document: '{ customers { totalCount } }', variables: {} },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': revision,
        'io.modelcontextprotocol/clientInfo': { name: 'client', version: '1.0.0', title: 'A client' },
        'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} }, roots: {} },
        progressToken: 'p',
      },
    },
  },
};

type Holder = Record<string, unknown>;
const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;

/** Each object of a message, with the objects inside. */
const holdersIn = (value: unknown): Holder[] =>
  isHolder(value) ? [value, ...Object.values(value).flatMap(holdersIn)] : [];

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    '',
    'query',
    'tools/call',
    '2.0',
    revision,
    '2025-11-25',
    7,
    1.5,
    -1,
  ),
  fc.constantFrom<unknown>([], {}, { name: 'x' }, { name: 'x', version: '1' }, [null], true, 1e300),
  fc.jsonValue(),
);
type Change = {
  readonly holder: number;
  readonly member: number;
  readonly value: unknown;
  readonly isNew: boolean;
  readonly name: string;
};
const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.record({ holder: fc.nat(), member: fc.nat(), value: odd, isNew: fc.boolean(), name: fc.string() }),
  { maxLength: 3 },
);

/** The message with members lost, replaced and added. */
function changed(some: readonly Change[]): typeof valid {
  const message = structuredClone(valid);
  for (const { holder, member, value, isNew, name } of some) {
    const holders = holdersIn(message);
    const of = holders[holder % holders.length] ?? {};
    const names = Object.keys(of);
    const at = isNew || names.length === 0 ? name : (names[member % names.length] ?? name);
    if (value === undefined) Reflect.deleteProperty(of, at);
    else of[at] = structuredClone(value);
  }
  return message;
}

test(`of ${String(volume(50_000))} changed messages, those that count as plain calls are calls to the SDK too`, () => {
  const counts = { plain: 0, other: 0 };
  fc.assert(
    fc.property(changes, (some) => {
      const { headers, body } = changed(some);
      const call = isHolder(headers) ? plainCallIn({ headers, body }) : undefined;
      if (call === undefined) {
        counts.other += 1;
        return;
      }
      counts.plain += 1;
      expect(isSpecType.CallToolRequest(body)).toBe(true);
      const outcome = classifyInboundRequest({
        httpMethod: 'POST',
        protocolVersionHeader: headers['mcp-protocol-version'],
        mcpMethodHeader: headers['mcp-method'],
        mcpNameHeader: headers['mcp-name'],
        body,
      });
      expect(outcome).toMatchObject({
        kind: 'modern',
        messageKind: 'request',
        classification: { revision },
        message: { id: call.id, params: { name: call.name } },
      });
    }),
    { numRuns: volume(50_000) },
  );
  expect(counts.plain).toBeGreaterThan(volume(50_000) / 20);
  expect(counts.other).toBeGreaterThan(volume(50_000) / 20);
});

test('a call as clients send it is a plain call', () => {
  expect(plainCallIn(valid)).toEqual({ id: 1, name: 'query', input: valid.body.params.arguments });
});
