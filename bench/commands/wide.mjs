import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { median } from '../measure/stats.mjs';
import { workFolder } from '../paths.mjs';
import { columns, digits } from '../report/text.mjs';
import { Stage } from '../stage.mjs';
import { smallWorld, tokenOf } from '../world/world.mjs';

const rowCount = 1_000_000;
const columnCount = 30;
const world = { ...smallWorld, auditRecords: 0, scopes: ['wides:read'] };
const pageSize = 100;
/** By which the way to the last page is walked. */
const stride = 1_000;
const warmUp = 50;
const pairs = 300;
/** How much dearer the last page may be. */
const most = 1.3;

/** A table of a company with a million rows of thirty columns, adopted: the last page beside the first. */
export async function wide(options) {
  const { databases, dist, progress } = options;
  const stage = new Stage(options);
  await mkdir(workFolder, { recursive: true });
  const folder = await mkdtemp(join(workFolder, 'wide-'));
  const rows = [];
  try {
    for (const database of databases) {
      const url = await stage.database(database, world);
      progress(`${database}: making ${rowCount} rows`);
      await makeTable(url, dist);
      const company = join(folder, database);
      const warnings = await adopted(url, dist, company);
      const settings = { BEHALF_COMPANY: company };
      const { server } = await stage.contender('behalf', database, url, world, { settings });
      rows.push({
        database,
        warnings,
        ...(await compare(server.port, (n) => progress(`${database}: ${n}`))),
      });
      await server.stop();
    }
    const failed = rows.some(({ ratio, warnings }) => ratio > most || warnings.length !== 1);
    return { rows, most, failed };
  } finally {
    await rm(folder, { recursive: true, force: true });
    await stage.close();
  }
}

async function makeTable(url, dist) {
  const isSqlite = url.startsWith('sqlite:');
  const names = Array.from({ length: columnCount - 2 }, (_, at) => `c${String(at + 1)}`);
  const statements = [
    `CREATE TABLE wide (no INTEGER PRIMARY KEY, label VARCHAR(20) NOT NULL, ${names.map((name) => `${name} VARCHAR(20)`).join(', ')})`,
    `INSERT INTO wide SELECT n, ${isSqlite ? "'row ' || (n * 7919 % 1000003)" : "CONCAT('row ', n * 7919 % 1000003)"}, ${names.map((_, at) => `n % ${String(at + 2)}`).join(', ')} FROM ${
      isSqlite
        ? `(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${rowCount}) SELECT n FROM s)`
        : `(SELECT seq AS n FROM seq_1_to_${rowCount}) s`
    }`,
    'CREATE INDEX labels ON wide (label)',
  ];
  if (isSqlite) {
    const { sqliteDriver } = await import(join(dist, 'src/store/drivers/sqlite-driver.js'));
    const connection = new (sqliteDriver())(url.slice('sqlite:'.length));
    for (const sql of statements) connection.exec(sql);
    connection.close();
    return;
  }
  const connection = await mysql.createConnection(url);
  for (const sql of statements) await connection.query(sql);
  await connection.end();
}

/** Adopts the table, bounded by nothing and also sorted by a column without an index. What `check` warns of. */
async function adopted(url, dist, company) {
  const env = { ...process.env, DATABASE_URL: url, BEHALF_LOG_LEVEL: 'fatal' };
  const behalf = (...args) =>
    promisify(execFile)(process.execPath, [join(dist, 'src/cli/behalf.js'), ...args], { env });
  await behalf('adopt', '--out', company, '--table', 'wide');
  const file = join(company, 'schema/wide.graphql');
  const all = '"customer", "region", "collection", "classification", "person"';
  const sdl = await readFile(file, 'utf8');
  await writeFile(
    file,
    sdl
      .replace(/bounds: \[.*?\], unbounded: \[.*?\]/s, `bounds: [], unbounded: [${all}]`)
      .replace(/( c1: .*)/, '$1 @sort'),
  );
  return JSON.parse((await behalf('check', company, '--json')).stdout).warnings;
}

/** The medians of a page after the first rows and of one before the last, asked for in turn. */
async function compare(port, progress) {
  const begin = await pageOver(port)(1, null);
  let end = begin;
  for (let seen = 1; seen + stride + pageSize < rowCount; seen += stride) {
    end = await pageOver(port)(stride, end.endCursor);
    if (seen % 100_000 === 1) progress(`row ${String(seen)}`);
  }
  const times = { first: [], last: [] };
  for (let n = -warmUp; n < pairs; n += 1) {
    for (const which of n % 2 === 0 ? ['first', 'last'] : ['last', 'first']) {
      const from = performance.now();
      await pageOver(port)(pageSize, (which === 'first' ? begin : end).endCursor);
      if (n >= 0) times[which].push(performance.now() - from);
    }
  }
  const [firstMs, lastMs] = [median(times.first), median(times.last)];
  return { firstMs, lastMs, ratio: Number((lastMs / firstMs).toFixed(3)) };
}

function pageOver(port) {
  const query =
    'query ($first: Int!, $after: String) { wides(first: $first, after: $after) { pageInfo { endCursor } nodes { id label c1 c28 } } }';
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${tokenOf('full', 0)}` };
  return async (first, after) => {
    const body = JSON.stringify({ query, variables: { first, after } });
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, { method: 'POST', headers, body });
    const answer = await response.json();
    if (answer.data?.wides?.nodes.length !== first) throw new Error(`No page: ${JSON.stringify(answer)}`);
    return answer.data.wides.pageInfo;
  };
}

wide.toText = ({ rows, failed }) =>
  `A page of ${pageSize} of ${rowCount.toLocaleString('en')} rows of ${columnCount} columns (medians of ${pairs})\n` +
  columns([
    ['', 'first, ms', 'last, ms', 'ratio', `at most ${most}`, 'told by check'],
    ...rows.map(({ database, firstMs, lastMs, ratio, warnings }) => [
      database,
      digits(firstMs),
      digits(lastMs),
      `${digits(ratio)}×`,
      ratio <= most ? 'met' : 'not met',
      warnings.join(' '),
    ]),
  ]) +
  (failed ? '\n\nFAILED: a last page is dearer, or `check` does not tell the sort without an index.' : '');
