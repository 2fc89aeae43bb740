import { setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import mysql from 'mysql2/promise';

const pauseMs = 50;
const waiting = 'SELECT record_id FROM audit_outbox UNION ALL SELECT record_id FROM audit_sequence LIMIT 1';

/** Resolves when every record is indexed: what a server does later belongs to the operations that made it necessary. */
export async function settled(url) {
  const { isEmpty, close } = await queueOf(url);
  try {
    while (!(await isEmpty())) await setTimeout(pauseMs);
  } finally {
    await close();
  }
}

async function queueOf(url) {
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
