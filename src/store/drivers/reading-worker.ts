import { parentPort, workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import { Lru } from '../../core/lru.js';
import type { Answered, ReadRequest, MoreRowsRequest, RowsPart, WorkerSettings } from './reading-thread.js';
import { addDigest } from './digest-function.js';
import { sqliteDriver } from './sqlite-driver.js';
import { onStep } from './row-steps.js';

/** How many statements stay prepared. */
const preparedMax = 300;
/** How many rows are looked at between two checks of the time. */
const stepsBetween = 256;
/** How many rows the main thread builds in one turn of its event loop. */
const rowsInPart = 1_000;

const { path, cacheKib, mappedBytes } = workerData as WorkerSettings;

let until = 0;
let steps = 0;

function open(): Database.Database {
  const db = new (sqliteDriver())(path, { readonly: true });
  db.pragma(`cache_size = -${String(cacheKib)}`);
  db.pragma(`mmap_size = ${String(mappedBytes)}`);
  addDigest(db);
  onStep(db, () => {
    steps += 1;
    if (steps % stepsBetween === 0 && Date.now() > until) throw new OutOfTime();
  });
  return db;
}

class OutOfTime extends Error {}

let db: Database.Database | undefined;
const prepared = new Lru<string, Database.Statement<unknown[], unknown[]>>(preparedMax);

function statement(sql: string): Database.Statement<unknown[], unknown[]> {
  const known = prepared.get(sql);
  if (known !== undefined) return known;
  const made = (db ??= open()).prepare<unknown[], unknown[]>(sql).raw();
  prepared.set(sql, made);
  return made;
}

/** The rest of each answer that was sent in part. */
const unsent = new Map<number, unknown[][]>();

function answer({ id, sql, params, untilMs }: ReadRequest): Answered {
  until = untilMs;
  if (Date.now() > until) return { id, failure: { isLate: true, message: '', code: undefined } };
  try {
    const reading = statement(sql);
    unsent.set(id, reading.all(...params));
    return { id, names: reading.columns().map(({ name }) => name), ...part(id) };
  } catch (error) {
    const isLate = error instanceof OutOfTime;
    const { message, code } = error as Error & { code?: string };
    return { id, failure: { isLate, message, code } };
  }
}

function part(id: number): RowsPart {
  const rows = unsent.get(id) ?? [];
  if (rows.length <= rowsInPart) {
    unsent.delete(id);
    return { rows, isLast: true };
  }
  return { rows: rows.splice(0, rowsInPart), isLast: false };
}

parentPort?.on('message', (message: ReadRequest | MoreRowsRequest | 'close') => {
  if (message === 'close') {
    db?.close();
    parentPort?.close();
  } else if ('further' in message) parentPort?.postMessage({ id: message.further, ...part(message.further) });
  else parentPort?.postMessage(answer(message));
});
