import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import mysql from 'mysql2/promise';
import { importOf } from '../paths.mjs';
import { indexRecords, queueAll } from './queue.mjs';
import { tableNames } from './table-names.mjs';
import { benchTokens, peopleRows } from '../world/people.mjs';
import { businessRows } from '../world/rows.mjs';

/** What peers keep of their own: tokens to look up, and one record for each request. */
const peersTables = [
  'CREATE TABLE bench_tokens (digest varchar(64) PRIMARY KEY, agent_id varchar(26), scopes varchar(2000))',
  'CREATE TABLE bench_audit (id AUTO, at varchar(30), agent_id varchar(26), operation varchar(100), variables text, outcome varchar(20))',
];

/** Their full-text index of passages: this server's own is divided by boundaries, which they have none of. */
const peersIndex = (passages) => ({
  sqlite: [
    `CREATE VIRTUAL TABLE bench_fts USING fts5 (tokens, content = '${passages}', content_rowid = 'row_no')`,
    "INSERT INTO bench_fts (bench_fts) VALUES ('rebuild')",
    "INSERT INTO bench_fts (bench_fts) VALUES ('optimize')",
  ],
  mysql: [`CREATE FULLTEXT INDEX ft_bench ON ${passages} (tokens)`],
});

/** Makes the server's tables by its own migrations, and fills them with a world. */
export async function seed(url, world, dist, progress) {
  await promisify(execFile)(process.execPath, [join(dist, 'src/cli/behalf.js'), 'migrate', '--json'], {
    env: { ...process.env, DATABASE_URL: url },
  });
  const making = await importOf(dist, 'src/domains/knowledge/passages.js');
  const named = await tableNames(dist);
  const tables = { ...businessRows(world, making), ...peopleRows(world) };
  const writer = url.startsWith('sqlite:')
    ? sqliteWriter(url.slice('sqlite:'.length))
    : await mysqlWriter(url);
  for (const sql of peersTables) await writer.run(sql.replace('AUTO', writer.automatic));
  for (const [table, rows] of Object.entries(tables)) {
    progress(table);
    await writer.insert(named(table), rows);
  }
  await writer.insert('bench_tokens', benchTokens(world));
  await writer.run(queueAll(named));
  progress('indexes');
  for (const sql of peersIndex(named('passages'))[writer.dialect]) await writer.run(sql);
  await index(url, dist);
  await writer.finish();
}

/** The indexes of records and of passages, as a server makes and merges them beside its requests. */
async function index(url, dist) {
  const paths = [
    'src/store/sql/database.js',
    'src/domains/knowledge/search-index.js',
    'migrations/index.js',
    'src/core/database-url.js',
    'src/domains/knowledge/tables.js',
  ];
  const [{ Database: Store }, { mergeSearchIndex }, { migrations }, { parseDatabaseUrl }, { passageWords }] =
    await Promise.all(paths.map((path) => importOf(dist, path)));
  const database = await Store.open(parseDatabaseUrl(url), migrations);
  await indexRecords(dist, database);
  // Another build may have an index that fills itself.
  if (passageWords !== undefined) await database.transaction((tx) => passageWords.fill(tx));
  await mergeSearchIndex(database);
  await database.close();
}

const quoted = (names) => names.map((name) => `\`${name}\``).join(', ');

function sqliteWriter(path) {
  const db = new Database(path);
  // Nothing is lost that could not be seeded again.
  db.pragma('synchronous = OFF');
  return {
    dialect: 'sqlite',
    automatic: 'integer PRIMARY KEY',
    run: (sql) => db.exec(sql),
    insert: async (table, rows) => {
      let statement;
      db.exec('BEGIN');
      for await (const row of rows) {
        const names = Object.keys(row);
        statement ??= db.prepare(
          `INSERT INTO ${table} (${quoted(names)}) VALUES (${names.map(() => '?').join(', ')})`,
        );
        statement.run(Object.values(row));
      }
      db.exec('COMMIT');
    },
    finish: () => {
      db.exec('ANALYZE');
      db.pragma('wal_checkpoint(TRUNCATE)');
      db.close();
    },
  };
}

const rowsPerStatement = 1_000;

async function mysqlWriter(uri) {
  const connection = await mysql.createConnection({ uri, timezone: 'Z' });
  await connection.query('SET GLOBAL innodb_flush_log_at_trx_commit = 0');
  const tables = [];
  return {
    dialect: 'mysql',
    automatic: 'bigint AUTO_INCREMENT PRIMARY KEY',
    run: (sql) => connection.query(sql),
    insert: async (table, rows) => {
      tables.push(table);
      let chunk = [];
      let into;
      const flush = async () => {
        if (chunk.length > 0) await connection.query(into, [chunk]);
        chunk = [];
      };
      for await (const row of rows) {
        into ??= `INSERT INTO ${table} (${quoted(Object.keys(row))}) VALUES ?`;
        chunk.push(Object.values(row));
        if (chunk.length === rowsPerStatement) await flush();
      }
      await flush();
    },
    finish: async () => {
      await connection.query(`ANALYZE TABLE ${tables.join(', ')}`);
      await connection.query('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
      await connection.end();
    },
  };
}
