import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { getIntrospectionQuery } from 'graphql';
import { benchFolder } from '../paths.mjs';
import { columns } from '../report/text.mjs';
import { Stage } from '../stage.mjs';
import { idOf, loopWorld, tokenOf } from '../world/world.mjs';

/** How long the event loop may stand still for any operation, by its own work: others may want the same core. */
const mostMs = 50;
/** A document goes the long way twice, and is then compiled. */
const times = 4;
/** So many small operations first: engines have to be warm. */
const warmUp = 300;

const range = (from) => `from: "${from}-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z"`;
const aliases = (count, field) =>
  `{ ${Array.from({ length: count }, (_, at) => `a${at}: ${field(at)}`).join(' ')} }`;
const leaves = (count, field) => Array.from({ length: count }, (_, at) => `f${at}: ${field}`).join(' ');
const totalAtLeast = (at) => `totalAtLeast: { amount: "${5_000 + at}.00", currency: "EUR" }`;

/** As large a text as one request may hold, nothing of it twice. */
const longText = Array.from(
  { length: 6_000 },
  (_, at) =>
    `## Part ${at}\n\nWhat part ${at} says about *${at * 7}* and \`${at * 13}\`: ${'word '.repeat(15)}\n`,
).join('\n');
const create = `mutation ($body: String!, $key: String!) {
  createDocument(collection: "guides", title: "Long", classification: PUBLIC, body: $body, idempotencyKey: $key) {
    document { id }
  }
}`;

/** The dearest legal operations that we know of, each of its kind and as large as its cost may be. */
const operations = {
  'a decade of statistics': `{ salesByCategory(${range(2016)}, bucket: MONTH) { period category currency amount { amount } quantity suppressed } }`,
  'aliases of statistics': aliases(
    18,
    (at) => `salesByPeriod(${range(2022 + (at % 4))}, bucket: MONTH) { period suppressed }`,
  ),
  'statistics of all kinds': `{ ${[
    'salesByPeriod',
    'salesByRegion',
    'salesByCategory',
    'ticketVolumes',
    'ticketVolumesByCategory',
  ]
    .map((name) => `${name}(${range(2024)}, bucket: QUARTER) { period suppressed }`)
    .join(' ')} }`,
  'a list that no index serves': '{ orders(orderBy: { total: DESC }, first: 1000) { nodes { id number } } }',
  'fifty lists that no index serves': aliases(
    50,
    (at) => `orders(filter: { ${totalAtLeast(at)} }, first: 5) { nodes { id } }`,
  ),
  'fifty lists': aliases(
    50,
    (at) =>
      `orders(filter: { placedAfter: "2024-01-01T00:00:${10 + at}Z" }, first: 100) { nodes { ${leaves(4, 'number')} } }`,
  ),
  'fifty totals': aliases(
    50,
    (at) =>
      `orders(filter: { placedAfter: "2024-01-0${1 + (at % 9)}T00:00:${10 + at}Z" }, first: 1) { totalCount }`,
  ),
  'the longest page': `{ orders(first: 1000) { nodes { ${leaves(28, 'number')} } } }`,
  'amounts on a page': `{ orders(first: 1000) { nodes { ${leaves(9, 'total { amount currency }')} } } }`,
  'cursors on a page': '{ orders(first: 1000) { edges { cursor node { id number status } } } }',
  'pages below a page':
    '{ customers(first: 500) { nodes { id orders(first: 7) { nodes { id number status placedAt } } } } }',
  'many pages below a page': `{ customers(first: 600) { nodes { ${leaves(2, 'orders(first: 1) { nodes { id } }')} } } }`,
  'filtered pages below a page': `{ customers(first: 600) { nodes { ${aliases(
    2,
    (at) =>
      `orders(first: 1, filter: { placedAfter: "2024-01-0${1 + at}T00:00:00Z", ${totalAtLeast(at)} }) { nodes { id } }`,
  ).slice(2, -2)} } } }`,
  'totals below a page': '{ customers(first: 900) { nodes { orders(first: 1) { totalCount } } } }',
  'cursors below a page':
    '{ customers(first: 400) { nodes { orders(first: 1) { totalCount pageInfo { startCursor endCursor } } } } }',
  'look-ups below a page': `{ orders(first: 1000) { nodes { id customer { ${leaves(24, 'name')} } } } }`,
  'many look-ups below a page': `{ orders(first: 1000) { nodes { ${leaves(7, 'customer { name }')} } } }`,
  'refused fields': {
    query: `{ customers(first: 1000) { nodes { id ${leaves(3, 'creditLimit { amount }')} } } }`,
    rights: 'narrow',
  },
  'introspection beside a page': `{ orders(first: 250) { nodes { ${leaves(10, 'number')} } } __type(name: "Order") { name } }`,
  'a search': '{ search(query: "ba ko mi ru te", first: 50) { nodes { score } } }',
  'fifty searches': aliases(
    50,
    (at) => `search(query: "ba ko mi ru te ${at}", first: 50) { nodes { score } }`,
  ),
  'a search of records': {
    query: `{ auditRecords(filter: { resource: { type: "Customer", id: "${idOf('CS', 7)}" } }, first: 1000) { totalCount nodes { id operationName outcome rowCount } } }`,
    rights: 'person',
  },
  'a search of records that no index serves': {
    query:
      '{ auditRecords(filter: { operationName: "None", errorCode: "INTERNAL" }, first: 1000) { totalCount nodes { id } } }',
    rights: 'person',
  },
  'all records': {
    query: '{ auditRecords(first: 1000) { totalCount nodes { id operationName outcome rowCount at task } } }',
    rights: 'person',
  },
  'a document of 900 kB': {
    query: create,
    variables: () => ({ body: longText.slice(0, 900_000), key: randomUUID() }),
  },
  'the schema': getIntrospectionQuery(),
  'the schema many times': `{ __schema { ${leaves(20, 'types { name fields { name args { name } } }')} } }`,
};

/** For how long the event loop stands still at most beside each of the dearest operations. */
export async function loop(options) {
  const { progress } = options;
  const stage = new Stage(options);
  const rows = [];
  try {
    for (const database of options.databases) {
      const url = await stage.database(database, loopWorld);
      const flags = ['--import', join(benchFolder, 'servers/probe.mjs')];
      // On a core that others use, too, it would be measured for how long they do.
      const how = { flags, isPinned: false };
      const { server } = await stage.contender('behalf', database, url, loopWorld, how);
      const small = {
        query: '{ orders(first: 20) { nodes { id number total { amount } customer { name } } } }',
      };
      for (let time = 0; time < warmUp; time += 1) await ask(server.port, small);
      for (const [operation, asked] of Object.entries(operations)) {
        const question = typeof asked === 'string' ? { query: asked } : asked;
        progress(`${database}: ${operation}`);
        let row = { database, operation, mostMs: 0, workMs: 0, seconds: 0 };
        for (let time = 0; time < times; time += 1) {
          await server.probe({ ask: 'watchLoop' });
          const begin = performance.now();
          const { code, bytes, cost } = await ask(server.port, question);
          const seconds = (performance.now() - begin) / 1_000;
          const found = await server.probe({ ask: 'loop' });
          row = {
            ...row,
            code,
            bytes,
            cost,
            mostMs: Math.max(row.mostMs, found.mostMs),
            workMs: Math.max(row.workMs, found.workMs),
            seconds: Math.max(row.seconds, seconds),
          };
        }
        rows.push({ ...row, met: row.workMs <= mostMs });
      }
    }
    return { rows, mostMs };
  } finally {
    await stage.close();
  }
}

async function ask(port, { query, variables = () => ({}), rights = 'full' }) {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenOf(rights, 0)}` },
    body: JSON.stringify({ query, variables: variables() }),
  });
  const text = await response.text();
  const { errors, extensions } = JSON.parse(text);
  return {
    bytes: text.length,
    cost: extensions?.cost?.requested,
    code: errors?.[0]?.extensions.code ?? 'ok',
  };
}

loop.toText = ({ rows }) =>
  columns([
    [
      'Operation',
      'database',
      'cost',
      'loop stood still, ms',
      'of it own work',
      'took, s',
      'bytes',
      'answer',
      '',
    ],
    ...rows.map((row) => [
      row.operation,
      row.database,
      row.cost?.toLocaleString('en') ?? '',
      row.mostMs.toFixed(1),
      row.workMs.toFixed(1),
      row.seconds.toFixed(2),
      row.bytes.toLocaleString('en'),
      row.code,
      row.met ? '' : 'TOO LONG',
    ]),
  ]);
