import fc from 'fast-check';
import { nestedLists } from './abuse.js';

/** A message that no client sends on purpose. */
export interface McpGarbage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

const revision = '2026-07-28';
const meta = {
  'io.modelcontextprotocol/protocolVersion': revision,
  'io.modelcontextprotocol/clientInfo': { name: 'garbage', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
type Params = Readonly<Record<string, unknown>>;
interface Message {
  readonly jsonrpc: string;
  readonly id: unknown;
  readonly method: string;
  readonly params: Params;
}

const modern = (method: string, params: Params): Message => ({
  ...{ jsonrpc: '2.0', id: 1, method },
  params: { ...params, _meta: meta },
});
const legacy = (method: string, params: Params): Message => ({ jsonrpc: '2.0', id: 1, method, params });
const call = (name: string, input: unknown): Message => modern('tools/call', { name, arguments: input });

/** Messages that are answered, and of which none changes anything. */
const corpus: readonly Message[] = [
  call('whoami', {}),
  call('query', { document: '{ customers(first: 1) { nodes { id name } } }', variables: {} }),
  call('mutate', { document: 'mutation { nothing }' }),
  call('validate', {
    document: 'query ($n: Int) { customers(first: $n) { totalCount } }',
    variables: { n: 1 },
  }),
  call('search_schema', { words: 'orders', from: 0 }),
  call('search_knowledge', { words: 'coffee', first: 2, collection: 'guides' }),
  call('explain_refusal', { scopes: ['refunds:issue'] }),
  call('ask_for_access', { scopes: ['refunds:issue'], reason: 'Why not?' }),
  call('NoSuchTool', {}),
  modern('tools/list', {}),
  modern('server/discover', {}),
  modern('resources/list', {}),
  modern('resources/templates/list', {}),
  modern('resources/read', { uri: 'behalf://document/NONE' }),
  legacy('initialize', {
    ...{ protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'garbage', version: '1' } },
  }),
  legacy('tools/list', {}),
  legacy('tools/call', { name: 'query', arguments: { document: '{ customers { totalCount } }' } }),
  legacy('ping', {}),
  legacy('notifications/initialized', {}),
];

const headersOf = ({ method, params }: Message): Record<string, string> => ({
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': params._meta === undefined ? '2025-11-25' : revision,
  ...(params._meta === undefined ? {} : { 'mcp-method': method }),
  ...(params._meta !== undefined && typeof (params.name ?? params.uri) === 'string'
    ? { 'mcp-name': (params.name ?? params.uri) as string }
    : {}),
});

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e308, '', 'x', '\u0000', '2.0', [], [[]], {}),
  fc.constantFrom<unknown>('__proto__', 'constructor', { toString: 1 }, { valueOf: null }, ['a', 1, null]),
  fc.constantFrom('tools/call', 'tools/list', 'prompts/get', 'sampling/createMessage', 'logging/setLevel'),
  fc.constantFrom(revision, '2025-11-25', '2024-11-05', '1900-01-01', 'query', 'mutate', 'validate'),
  fc.constant('x'.repeat(20_000)),
  fc.jsonValue(),
);

type Holder = Record<string, unknown>;
const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;
const holdersIn = (value: unknown): Holder[] =>
  isHolder(value) ? [value, ...Object.values(value).flatMap(holdersIn)] : [];

/** Messages with members lost, replaced and added, at any depth. */
const mutated = fc
  .tuple(
    fc.constantFrom(...corpus),
    fc.array(
      fc.record({
        ...{ at: fc.nat(), member: fc.nat(), value: odd },
        kind: fc.constantFrom('lose', 'replace', 'add'),
        name: fc.oneof(fc.constantFrom('constructor', 'id', 'task', 'name', 'inputResponses'), fc.string()),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([message, changes]) => {
    const changed = structuredClone(message);
    for (const { at, member, value, kind, name } of changes) {
      const holders = holdersIn(changed);
      const holder = holders[at % holders.length] ?? {};
      const names = Object.keys(holder);
      const there = names[member % Math.max(1, names.length)] ?? name;
      if (kind === 'lose') Reflect.deleteProperty(holder, there);
      else holder[kind === 'add' ? name : there] = structuredClone(value);
    }
    return { headers: headersOf(message), body: JSON.stringify(changed) };
  });

const wrongHeaders = fc
  .tuple(
    fc.constantFrom(...corpus),
    fc.constantFrom(
      'mcp-protocol-version',
      'mcp-method',
      'mcp-name',
      'accept',
      'mcp-session-id',
      'last-event-id',
    ),
    fc.oneof(
      fc.constantFrom(
        '',
        revision,
        '2025-06-18',
        '9999-12-31',
        'tools/call',
        'query',
        '=?base64?eA==?=',
        '*/*',
      ),
      fc.stringMatching(/^[ -~]{0,60}$/),
    ),
  )
  .map(([message, name, value]) => ({
    headers: { ...headersOf(message), [name]: value },
    body: JSON.stringify(message),
  }));

const broken = fc
  .tuple(
    fc.constantFrom(...corpus),
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 4 }),
    fc.option(fc.nat()),
  )
  .map(([message, flips, end]) => {
    const bytes = Buffer.from(JSON.stringify(message));
    for (const [at, bits] of flips)
      bytes.writeUInt8(bytes.readUInt8(at % bytes.length) ^ bits, at % bytes.length);
    const body = new Uint8Array(end === null ? bytes : bytes.subarray(0, end % bytes.length));
    return { headers: headersOf(message), body };
  });

/** Huge and deep in one place. */
const large = fc
  .tuple(
    fc.constantFrom(...corpus),
    fc.constantFrom(
      nestedLists(5_000),
      '{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000),
      '9'.repeat(5_000),
      `"${'x'.repeat(200_000)}"`,
      `"${'\\u0000'.repeat(10_000)}"`,
      '{"__proto__":{"name":"query"}}',
      '"\\ud800"',
      '1e999',
      `[${'0,'.repeat(50_000)}0]`,
    ),
    fc.constantFrom(
      'id',
      'name',
      'arguments',
      'document',
      'words',
      'scopes',
      'method',
      'variables',
      'params',
    ),
  )
  .map(([message, json, member]) => ({
    headers: headersOf(message),
    body: JSON.stringify(message, (name, value: unknown) => (name === member ? 'HERE' : value)).replace(
      '"HERE"',
      () => json,
    ),
  }));

const anything = fc
  .oneof(
    fc.json(),
    fc.uint8Array({ maxLength: 500 }),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.constantFrom(...corpus), { maxLength: 3 }).map((some) => JSON.stringify(some)),
  )
  .map((body) => ({ headers: headersOf(corpus[0] as Message), body }));

export const mcpGarbage: fc.Arbitrary<McpGarbage> = fc.oneof(
  { weight: 5, arbitrary: mutated },
  { weight: 2, arbitrary: wrongHeaders },
  { weight: 2, arbitrary: broken },
  { weight: 1, arbitrary: large },
  { weight: 2, arbitrary: anything },
);
