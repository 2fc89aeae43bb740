// databases: sqlite, mariadb
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flood, multiplying, nestedLists } from '../support/abuse.js';
import { Target, withEach, type Reply, type Sent } from '../support/attacks.js';
import { digestOf } from '../support/faults.js';
import { recordOf } from '../support/records.js';
import { naming, statementsOf } from '../support/statements.js';

let target: Target;
beforeAll(async () => {
  target = await Target.start();
});
afterAll(() => target.stop());

const times = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');
const nested = (depth: number, open: string, inner: string, close: string): string =>
  open.repeat(depth) + inner + close.repeat(depth);
const json = (query: string, variables: object = {}): Sent => ({
  body: JSON.stringify({ query, variables }),
});

interface Told {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly extensions: { readonly code: string; readonly limit?: string } }[];
}
const told = ({ text }: Reply): Told => JSON.parse(text) as Told;

/** What it is, the request, the code, and the limit that it passes. */
type Flood = readonly [what: string, sent: Sent, code: string, limit?: string];

const customersBy = 'query ($f: CustomerFilter) { customers(filter: $f) { totalCount } }';
const floods: readonly Flood[] = [
  ['aliases of one field', json(`{ ${times(2_000, (at) => `a${String(at)}: x`)} }`), 'BAD_USER_INPUT'],
  [
    'as many aliases as fit',
    json(`{ viewer { ${times(1_300, (at) => `a${String(at)}: scopes`)} } }`),
    'QUERY_TOO_COMPLEX',
    'aliases',
  ],
  ['aliases of lists', json(`{ ${flood(60, 100)} }`), 'QUERY_TOO_COMPLEX', 'rootFields'],
  [
    'a batch by aliases',
    json(
      `mutation { ${times(60, (at) => `m${String(at)}: replyToTicket(ticketId: "x", body: "x", idempotencyKey: "k${String(at)}") { ticket { id } }`)} }`,
    ),
    'QUERY_TOO_COMPLEX',
    'rootFields',
  ],
  [
    'one directive many times',
    json(`{ __typename ${'@include(if: true) '.repeat(500)} }`),
    'QUERY_TOO_COMPLEX',
    'directivesOfOne',
  ],
  [
    'directives on many fields',
    json(`{ viewer { ${times(250, (at) => `f${String(at)} @skip(if: false)`)} } }`),
    'QUERY_TOO_COMPLEX',
    'directives',
  ],
  [
    'recursion through relations',
    json(`{ orders { nodes { ${nested(12, 'customer { orders { nodes { ', 'id', '} } } ')} } } }`),
    'QUERY_TOO_COMPLEX',
    'depth',
  ],
  [
    'recursion in inline fragments',
    json(`{ ${nested(1_000, '... { ', '__typename', ' }')} }`),
    'QUERY_TOO_COMPLEX',
    'depth',
  ],
  [
    'fragments around each other',
    json(`{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }`),
    'BAD_USER_INPUT',
  ],
  [
    'fragments that multiply',
    json(`{ customers { nodes { ...f0 } } } ${multiplying(6, 6)}`),
    'QUERY_TOO_COMPLEX',
    'aliases',
  ],
  ['one field many times', json(`{ ${'viewer { scopes } '.repeat(900)} }`), 'QUERY_TOO_COMPLEX', 'repeats'],
  [
    'one list many times',
    json(`{ ${'customers { nodes { id } } '.repeat(400)} }`),
    'QUERY_TOO_COMPLEX',
    'repeats',
  ],
  [
    'pages in pages',
    json('{ customers(first: 1000) { nodes { orders(first: 1000) { nodes { id } } } } }'),
    'QUERY_TOO_COMPLEX',
  ],
  [
    'many operations',
    json(times(100, (at) => `query Q${String(at)} { __typename }`)),
    'QUERY_TOO_COMPLEX',
    'operations',
  ],
  [
    'lines without end before many faults',
    json(`${'\n'.repeat(400_000)}{ ${times(100, (at) => `f${String(at)}`)} }`),
    'QUERY_TOO_COMPLEX',
    'characters',
  ],
  [
    'lines before many faults',
    json(`${'\n'.repeat(100_000)}{ ${times(100, (at) => `f${String(at)}`)} }`),
    'QUERY_TOO_COMPLEX',
    'lines',
  ],
  ['a name of a million letters', json(`{ ${'a'.repeat(150_000)} }`), 'QUERY_TOO_COMPLEX', 'nameLength'],
  [
    'lists in lists in the document',
    json(`{ customers(filter: { numbers: ${nestedLists(1_500)} }) { totalCount } }`),
    'QUERY_TOO_COMPLEX',
    'valueDepth',
  ],
  [
    'a long list in the document',
    json(`{ customers(filter: { numbers: [${'"a" '.repeat(3_800)}] }) { totalCount } }`),
    'BAD_USER_INPUT',
  ],
  [
    'a long list in variables',
    json(customersBy, { f: { numbers: Array.from({ length: 10_000 }, () => 'x') } }),
    'BAD_USER_INPUT',
  ],
  [
    'a longer list in variables',
    json(customersBy, { f: { numbers: Array.from({ length: 200_000 }, () => 'x') } }),
    'QUERY_TOO_COMPLEX',
    'variableValues',
  ],
  [
    'many variables that nothing uses',
    json(
      '{ __typename }',
      Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`v${String(at)}`, 1])),
    ),
    'QUERY_TOO_COMPLEX',
    'variableValues',
  ],
  [
    'objects in objects in variables',
    {
      body: `{"query":${JSON.stringify(customersBy)},"variables":{"f":${nested(100_000, '{"a":', '1', '}')}}}`,
    },
    'QUERY_TOO_COMPLEX',
    'valueDepth',
  ],
  [
    'lists in lists in variables that nothing uses',
    { body: `{"query":"{__typename}","variables":{"f":${nestedLists(400_000)}}}` },
    'QUERY_TOO_COMPLEX',
    'valueDepth',
  ],
  [
    'a long text where a number belongs',
    json('query ($n: Int) { customers(first: $n) { totalCount } }', { n: 'x'.repeat(900_000) }),
    'BAD_USER_INPUT',
  ],
  [
    'long texts in fields that do not exist',
    json(customersBy, {
      f: Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`x${String(at)}`, 'x'.repeat(18_000)])),
    }),
    'BAD_USER_INPUT',
  ],
];

describe('a flood', () => {
  for (const [what, sent, code, limit] of floods)
    test(`of ${what} is refused, and touches no row`, async () => {
      const before = await digestOf(target.server.database);
      let reply: Reply | undefined;
      const statements = await statementsOf(async () => {
        reply = await target.send(sent);
      });
      if (reply === undefined) throw new Error('no reply');
      // Of what is found only when it runs, the field is null.
      expect([200, 400]).toContain(reply.status);
      const { errors = [], data } = told(reply);
      expect(new Set(errors.map((error) => error.extensions.code))).toEqual(new Set([code]));
      if (limit !== undefined) expect(errors.map((error) => error.extensions.limit)).toEqual([limit]);
      expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
      target.expectNothingLearned(reply, String(sent.body));
      // What is sent does not come back many times over.
      expect(reply.text.length).toBeLessThan(40_000);
      for (const table of ['customers', 'orders', 'tickets', 'ticket_messages'])
        expect(naming(statements, table)).toEqual([]);
      expect(await digestOf(target.server.database)).toBe(before);
      const headers = new Headers({ 'behalf-operation-id': String(reply.headers['behalf-operation-id']) });
      const record = await recordOf(target.server.database, { headers });
      expect(record).toMatchObject({
        outcome: 'failed',
        resources: [],
        changes: [],
        errors: errors.map(() => ({ code })),
      });
      expect(JSON.stringify(record).length).toBeLessThan(16_384);
    });

  test('of all of them at once leaves the honest served', async () => {
    const many = Array.from({ length: 6 }, () => floods).flat();
    const refused = await target.whileHonest(
      (async () => {
        let count = 0;
        await withEach(many, 24, async ([, sent]) => {
          const reply = await target.send(sent);
          expect([200, 400, 503]).toContain(reply.status);
          count += 1;
        });
        return count;
      })(),
    );
    expect(refused).toBe(many.length);
  });
});

/** A connection on which an HTTP request is written piece by piece. */
async function dripping(): Promise<{ readonly socket: Socket; readonly answer: Promise<string> }> {
  const { hostname, port } = new URL(target.server.url);
  const socket = connect(Number(port), hostname);
  const answer = new Promise<string>((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\r\n\r\n') && /[}\n]$/.test(text)) resolve(text);
    });
    socket.once('error', reject).once('close', () => {
      resolve(text);
    });
  });
  answer.catch(() => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, answer };
}

const head = (length: number, token?: string): string =>
  [
    'POST /graphql HTTP/1.1',
    'host: 127.0.0.1',
    'content-type: application/json',
    ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
    `content-length: ${String(length)}`,
    '\r\n',
  ].join('\r\n');

describe('a request that comes slowly', () => {
  const body = '{"query":"{ customers { totalCount } }"}';
  const honestly = async (): Promise<void> => {
    const answer = await target.server.query(target.honest.token, '{ viewer { scopes } }');
    expect([answer.status, answer.errors]).toEqual([200, []]);
  };

  test('byte by byte on many connections holds nobody up, and is answered when it is whole', async () => {
    const slow = await Promise.all(Array.from({ length: 60 }, () => dripping()));
    for (const { socket } of slow) socket.write(head(body.length, target.agent.token));
    for (const byte of body.slice(0, -1)) {
      for (const { socket } of slow) socket.write(byte);
      await honestly();
    }
    for (const { socket } of slow) socket.write(body.slice(-1));
    for (const { socket, answer } of slow) {
      expect(await answer).toContain('"customers":{"totalCount":1}');
      socket.destroy();
    }
  });

  test('without a token is answered before its body has come', async () => {
    const { socket, answer } = await dripping();
    socket.write(head(1_000_000));
    expect(await answer).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
  });

  test('that announces more than the server takes is answered before its body has come', async () => {
    const { socket, answer } = await dripping();
    socket.write(head(10_000_000_000, target.agent.token));
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  test('and breaks off leaves nothing behind', async () => {
    const before = await digestOf(target.server.database);
    for (let at = 0; at < 50; at += 1) {
      const { socket } = await dripping();
      socket.write(head(body.length, target.agent.token) + body.slice(0, at % body.length));
      socket.destroy();
    }
    await honestly();
    expect(await digestOf(target.server.database)).toBe(before);
  });
});

describe('a request whose frame is at fault', () => {
  const raw = async (text: string): Promise<string> => {
    const { socket, answer } = await dripping();
    socket.write(text);
    const found = await answer;
    socket.destroy();
    return found;
  };
  const plain = '{"query":"{__typename}"}';
  const withHeaders = (...lines: string[]): string =>
    [
      'POST /graphql HTTP/1.1',
      'host: 127.0.0.1',
      `authorization: Bearer ${target.agent.token}`,
      ...lines,
      '',
      '',
    ].join('\r\n');

  const frames: readonly (readonly [what: string, text: () => string, status: RegExp])[] = [
    ['a header of 100 kB', () => withHeaders(`x: ${'y'.repeat(100_000)}`), /^HTTP\/1\.1 431 /],
    [
      '10,000 headers',
      () => withHeaders(...Array.from({ length: 10_000 }, (_, at) => `x${String(at)}: y`)),
      /^HTTP\/1\.1 431 /,
    ],
    [
      'an address of 100 kB',
      () => `GET /graphql?query=${'x'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
      /^HTTP\/1\.1 431 /,
    ],
    [
      'two lengths',
      () => withHeaders('content-type: application/json', 'content-length: 5', 'content-length: 24') + plain,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a length and chunks',
      () =>
        withHeaders('content-type: application/json', 'content-length: 24', 'transfer-encoding: chunked') +
        `18\r\n${plain}\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    ['a negative length', () => withHeaders('content-length: -1'), /^HTTP\/1\.1 400 /],
    [
      'a chunk without end',
      () =>
        withHeaders('content-type: application/json', 'transfer-encoding: chunked') +
        'ffffffffffffffffff\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['no HTTP at all', () => '\u0016\u0003\u0001\u0002\u0000\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['another version', () => 'GET /graphql HTTP/9.9\r\nhost: x\r\n\r\n', /^HTTP\/1\.1 (400|505) /],
  ];

  test.each(frames)('%s is refused with nothing of the server told', async (_what, text, status) => {
    const answer = await raw(text());
    expect(answer).toMatch(status);
    expect(answer).not.toMatch(/node_modules|\bat \S+ \(|\/(src|dist|home|work|tmp)\//);
    const after = await target.ask('{ __typename }');
    expect(after.data).toEqual({ __typename: 'Query' });
  });

  test('many chunks beyond what a body may be end it', async () => {
    const { socket, answer } = await dripping();
    socket.write(withHeaders('content-type: application/json', 'transfer-encoding: chunked'));
    const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`;
    for (let sent = 0; sent < 20; sent += 1) socket.write(chunk);
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });
});

describe('a body in another dress', () => {
  const change = `mutation { replyToTicket(ticketId: "x", body: "x", idempotencyKey: "k") { ticket { id } } }`;
  const plain = JSON.stringify({ query: '{ __typename }' });
  const bomb = gzipSync(Buffer.alloc(200_000_000, ' '));

  const dresses: readonly (readonly [
    what: string,
    headers: Record<string, string>,
    body: string | Buffer,
  ])[] = [
    ['gzip', { 'content-encoding': 'gzip' }, gzipSync(plain)],
    ['a gzip bomb', { 'content-encoding': 'gzip' }, bomb],
    ['a gzip bomb that is not announced', {}, bomb],
    ['deflate', { 'content-encoding': 'deflate' }, gzipSync(plain)],
    ['an unknown encoding', { 'content-encoding': 'x' }, 'x'],
    ['UTF-16', { 'content-type': 'application/json; charset=utf-16le' }, Buffer.from(plain, 'utf16le')],
    ['UTF-16 that is not announced', {}, Buffer.from(plain, 'utf16le')],
    ['bytes that are no UTF-8', {}, Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x80, 0x22, 0x7d])],
    ['a mark of byte order and garbage', {}, Buffer.concat([Buffer.from('\ufeff'), Buffer.from('{')])],
    [
      'a form',
      { 'content-type': 'application/x-www-form-urlencoded' },
      `query=${encodeURIComponent(change)}`,
    ],
    [
      'parts',
      { 'content-type': 'multipart/form-data; boundary=b' },
      `--b\r\ncontent-disposition: form-data; name="query"\r\n\r\n${change}\r\n--b--`,
    ],
    ['a type that is none', { 'content-type': ';;;' }, plain],
    ['two types', { 'content-type': 'text/plain, application/json' }, JSON.stringify({ query: change })],
  ];

  test.each(dresses)('%s is refused unread', async (_what, headers, body) => {
    const before = await digestOf(target.server.database);
    const reply = await target.send({ headers, body });
    expect([400, 413, 415]).toContain(reply.status);
    expect(told(reply).data).toBeUndefined();
    expect(told(reply).errors?.map((error) => error.extensions.code)).toEqual(['BAD_USER_INPUT']);
    target.expectNothingLearned(reply, '');
    expect(await digestOf(target.server.database)).toBe(before);
  });

  test.each(['application/json; charset=utf-8', 'application/json;charset=UTF-8', 'APPLICATION/JSON'])(
    'as %s it is answered',
    async (type) => {
      const reply = await target.send({ headers: { 'content-type': type }, body: plain });
      expect(told(reply).data).toEqual({ __typename: 'Query' });
    },
  );
});

describe('JSON with two minds', () => {
  test('of a key that comes twice the last counts, for what runs and for what is recorded', async () => {
    const body = `{"query":"{ viewer { scopes } }","query":"query Last($id: ID!) { customer(id: $id) { number } }",
      "variables":{"id":"${target.ids.unseen}"},"variables":{"id":"x","id":"${target.ids.customer}"},"operationName":"First","operationName":"Last"}`;
    const reply = await target.send({ body });
    expect(told(reply).data).toEqual({ customer: { number: 'C-1' } });
    const headers = new Headers({ 'behalf-operation-id': String(reply.headers['behalf-operation-id']) });
    const record = await recordOf(target.server.database, { headers });
    expect(record.operation?.name).toBe('Last');
    expect(record.variables).toBe(JSON.stringify({ id: target.ids.customer }));
  });

  const prototypes = [
    `{"__proto__":{"query":"{__typename}"},"query":"{__typename}"}`,
    `{"query":"{__typename}","variables":{"__proto__":{"admin":true}}}`,
    `{"query":"{__typename}","variables":{"a":[{"b":{"__proto__":null}}]}}`,
    `{"query":"{__typename}","extensions":{"\\u005f_proto__":{}}}`,
  ];
  test.each(prototypes)('%s gives nothing a prototype', async (body) => {
    const reply = await target.send({ body });
    expect([reply.status, told(reply).data]).toEqual([400, undefined]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    target.expectNothingLearned(reply, body);
  });

  test('a variable that nobody declared is plain data, whatever its name', async () => {
    const body = `{"query":"{__typename}","variables":{"constructor":{"prototype":{"admin":true}}}}`;
    const reply = await target.send({ body });
    expect([reply.status, told(reply).data]).toEqual([200, { __typename: 'Query' }]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test.each(['toString', 'constructor', 'hasOwnProperty', '__proto__', 'valueOf'])(
    'the name %s is a name like any other that does not exist',
    async (name) => {
      for (const query of [
        `{ ${name} }`,
        `{ ...${name} }`,
        `query ${name}($${name}: ID!) { customer(id: $${name}) { id } }`,
        `{ customers(${name}: 1) { totalCount } }`,
        `{ customers(filter: { ${name}: "x" }) { totalCount } }`,
        `{ __type(name: "${name}") { name } ${name}: nothing }`,
        `{ viewer { ... on ${name} { id } } }`,
        `query A { __typename @${name} }`,
      ]) {
        const reply = await target.send(json(query));
        expect([query, reply.status]).toEqual([query, 400]);
        expect(new Set(told(reply).errors?.map((error) => error.extensions.code))).toEqual(
          new Set(['BAD_USER_INPUT']),
        );
      }
      const named = await target.send({
        body: JSON.stringify({ query: 'query A { __typename }', operationName: name }),
      });
      expect([named.status, told(named).data]).toEqual([400, undefined]);
    },
  );
});
