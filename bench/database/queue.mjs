import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import mysql from 'mysql2/promise';
import { importOf } from '../paths.mjs';
import { tableNames } from './table-names.mjs';

const pauseMs = 50;
const queue = 'audit_unindexed';
/** An earlier build has no outbox. */
const outbox = 'src/audit/outbox/outbox.js';
/** The tables of records that are not indexed yet. */
async function queuesOf(dist) {
  const queues = existsSync(join(dist, outbox)) ? [queue, 'audit_sequence'] : [queue];
  return queues.map(await tableNames(dist));
}

/** Resolves when every record is indexed: what a server does later belongs to the operations that made it necessary. */
export async function settled(url, dist) {
  const { isEmpty, close } = await queueOf(url, await queuesOf(dist));
  try {
    while (!(await isEmpty())) await setTimeout(pauseMs);
  } finally {
    await close();
  }
}

/** The statement by which all records wait for their index. @param named see `tableNames` */
export const queueAll = (named) =>
  `INSERT INTO ${named(queue)} (record_id) SELECT id FROM ${named('audit_records')} ` +
  `WHERE id NOT IN (SELECT record_id FROM ${named(queue)})`;

/** Indexes the records that wait. */
export async function indexRecords(dist, database) {
  if (!existsSync(join(dist, outbox))) {
    const { Indexer } = await importOf(dist, 'src/audit/indexer.js');
    return new Indexer(database, console).run();
  }
  const { Outbox } = await importOf(dist, outbox);
  const { indexConsumer } = await importOf(dist, 'src/audit/outbox/index-consumer.js');
  return new Outbox(database, [indexConsumer], console).run();
}

async function queueOf(url, tables) {
  const waiting = `${tables.map((table) => `SELECT record_id FROM ${table}`).join(' UNION ALL ')} LIMIT 1`;
  if (url.startsWith('sqlite:')) {
    const db = new Database(url.slice('sqlite:'.length), { readonly: true });
    return { isEmpty: () => db.prepare(waiting).get() === undefined, close: () => db.close() };
  }
  const connection = await mysql.createConnection(url);
  return {
    isEmpty: async () => (await connection.query(waiting))[0].length === 0,
    close: () => connection.end(),
  };
}
