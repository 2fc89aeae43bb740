import { join } from 'node:path';
import { getIntrospectionQuery } from 'graphql';
import { benchFolder } from '../paths.mjs';
import { columns } from '../report/text.mjs';
import { Stage } from '../stage.mjs';
import { loopWorld, tokenOf } from '../world/world.mjs';

/** How long the event loop may stand still for any operation. */
const mostMs = 50;
/** A document goes the long way at first. */
const times = 2;

const range = (from) => `from: "${from}-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z"`;
const aliases = (count, field) =>
  `{ ${Array.from({ length: count }, (_, at) => `a${at}: ${field(at)}`).join(' ')} }`;
const leaves = (count, field) => Array.from({ length: count }, (_, at) => `f${at}: ${field}`).join(' ');

/** The dearest legal operations that we know of, each of its kind. */
const operations = {
  'a decade of statistics': `{ salesByCategory(${range(2016)}, bucket: MONTH) { period category currency amount { amount } quantity suppressed } }`,
  'fifty aliases of statistics': aliases(
    50,
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
  'twenty lists that no index serves': aliases(
    20,
    (at) =>
      `orders(filter: { totalAtLeast: { amount: "${5_000 + at}.00", currency: "EUR" } }, first: 5) { nodes { id } }`,
  ),
  'fifty totals': aliases(
    50,
    (at) =>
      `orders(filter: { placedAfter: "2024-01-0${1 + (at % 9)}T00:00:${10 + at}Z" }, first: 1) { totalCount }`,
  ),
  'the longest page': `{ orders(first: 1000) { nodes { ${leaves(90, 'number')} } } }`,
  'pages below a page':
    '{ customers(first: 1000) { nodes { id orders(first: 15) { nodes { id number status placedAt } } } } }',
  'look-ups below a page': `{ orders(first: 1000) { nodes { id customer { ${leaves(90, 'name')} } } } }`,
  'a search': '{ search(query: "ba ko mi ru te", first: 50) { nodes { score } } }',
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
      const { server } = await stage.contender('behalf', database, url, loopWorld, { flags });
      for (const [operation, query] of Object.entries(operations)) {
        progress(`${database}: ${operation}`);
        let row = { database, operation, mostMs: 0, seconds: 0 };
        for (let time = 0; time < times; time += 1) {
          await server.probe({ ask: 'watchLoop' });
          const begin = performance.now();
          const { code, bytes } = await ask(server.port, query);
          const seconds = (performance.now() - begin) / 1_000;
          const found = await server.probe({ ask: 'loop' });
          row = {
            ...row,
            code,
            bytes,
            mostMs: Math.max(row.mostMs, found.mostMs),
            seconds: Math.max(row.seconds, seconds),
          };
        }
        rows.push({ ...row, met: row.mostMs <= mostMs });
      }
    }
    return { rows, mostMs };
  } finally {
    await stage.close();
  }
}

async function ask(port, query) {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenOf('full', 0)}` },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  return { bytes: text.length, code: JSON.parse(text).errors?.[0]?.extensions.code ?? 'ok' };
}

loop.toText = ({ rows }) =>
  columns([
    ['Operation', 'database', 'loop stood still, ms', 'took, s', 'bytes', 'answer', ''],
    ...rows.map((row) => [
      row.operation,
      row.database,
      row.mostMs.toFixed(1),
      row.seconds.toFixed(2),
      row.bytes.toLocaleString('en'),
      row.code,
      row.met ? '' : 'TOO LONG',
    ]),
  ]);
