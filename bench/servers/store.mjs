import Database from 'better-sqlite3';
import mysql from 'mysql2/promise';

/**
 * The database as peers use it: prepared statements and nothing between. `all` gives rows, at once or as a
 * promise; `transaction` runs a generator that yields `[sql, parameters]` and gets the rows back.
 */
export const openStore = (url) =>
  url.startsWith('sqlite:') ? openSqlite(url.slice('sqlite:'.length)) : openMysql(url);

function openSqlite(path) {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  // As durable as the server that they are compared with.
  db.pragma('synchronous = FULL');
  const statements = new Map();
  const run = (sql, parameters) => {
    let statement = statements.get(sql);
    if (statement === undefined) statements.set(sql, (statement = db.prepare(sql)));
    return statement.reader ? statement.all(parameters) : statement.run(parameters);
  };
  const transaction = db.transaction((steps) => {
    let step = steps.next();
    while (!step.done) step = steps.next(run(...step.value));
    return step.value;
  });
  return { dialect: 'sqlite', all: run, transaction: (steps) => transaction.immediate(steps) };
}

function openMysql(uri) {
  const pool = mysql.createPool({ uri, connectionLimit: 10, dateStrings: true, charset: 'utf8mb4_bin' });
  return {
    dialect: 'mysql',
    all: async (sql, parameters) => (await pool.execute(sql, parameters))[0],
    transaction: async (steps) => {
      const connection = await pool.getConnection();
      try {
        await connection.beginTransaction();
        let step = steps.next();
        while (!step.done) step = steps.next((await connection.execute(...step.value))[0]);
        await connection.commit();
        return step.value;
      } catch (error) {
        await connection.rollback();
        throw error;
      } finally {
        connection.release();
      }
    },
  };
}
