import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { freePort } from '../free-port.mjs';
import { workFolder } from '../paths.mjs';
import { onCore } from '../pin.mjs';

const startDeadlineMs = 60_000;

/** Why no MariaDB can be started here; undefined when one can. */
export function mariaDbMissing() {
  const missing = ['mariadbd', 'mariadb-install-db'].filter((name) => findBinary(name) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(' and ')} not found: install MariaDB's server`;
}

/**
 * Starts a MariaDB of its own on the core of the load generator. `createDatabase` gives the URL of an empty
 * database; `stop` ends it and removes its data, as does the end of this process.
 */
export async function startMariaDb() {
  await mkdir(workFolder, { recursive: true });
  const dataDir = await mkdtemp(join(workFolder, 'mariadb-'));
  // The server refuses to run as root unless it is told to.
  const asUser = process.getuid?.() === 0 ? ['--user=root'] : [];
  await promisify(execFile)(findBinary('mariadb-install-db'), [
    '--no-defaults',
    `--datadir=${dataDir}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    ...asUser,
  ]);
  const port = await freePort();
  const password = randomBytes(16).toString('hex');
  const initFile = join(dataDir, 'accounts.sql');
  await writeFile(initFile, accounts(password), { mode: 0o600 });
  const url = `mysql://behalf:${password}@127.0.0.1:${port}`;
  const options = [
    '--no-defaults',
    ...asUser,
    `--datadir=${dataDir}`,
    `--tmpdir=${dataDir}`,
    `--socket=${join(dataDir, 'socket')}`,
    `--pid-file=${join(dataDir, 'pid')}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    `--init-file=${initFile}`,
    '--character-set-server=utf8mb4',
    '--innodb-flush-log-at-trx-commit=1',
    '--innodb-buffer-pool-size=1G',
    '--innodb-log-file-size=512M',
    '--max-connections=500',
  ];
  const server = await serve(options, dataDir, url);
  return {
    createDatabase: async (name) => {
      await execute(url, `CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
      return `${url}/${name}`;
    },
    stop: async () => {
      await server.end();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const accounts = (password) =>
  [
    `DELETE FROM mysql.global_priv WHERE User IN ('', 'root');`,
    `FLUSH PRIVILEGES;`,
    `CREATE OR REPLACE USER behalf@'127.0.0.1' IDENTIFIED BY '${password}';`,
    `GRANT ALL ON *.* TO behalf@'127.0.0.1' WITH GRANT OPTION;`,
    '',
  ].join('\n');

async function execute(url, sql) {
  const connection = await mysql.createConnection(url);
  await connection.query(sql);
  await connection.end();
}

async function serve(options, dataDir, url) {
  const logFile = join(dataDir, 'error.log');
  const log = openSync(logFile, 'a');
  const [command, ...args] = onCore('load', findBinary('mariadbd'), ...options);
  // Detached, so that Ctrl-C reaches this process, which then ends the server in order.
  const child = spawn(command, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  await once(child, 'spawn');
  const reaper = startReaper(child.pid, dataDir);
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const end = async () => {
    if (isRunning()) {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    }
    reaper.kill('SIGKILL');
  };
  try {
    const deadline = Date.now() + startDeadlineMs;
    while (!(await answers(url))) {
      if (!isRunning() || Date.now() > deadline) throw new Error('MariaDB did not start.');
      await sleep(50);
    }
  } catch (cause) {
    await end();
    throw new Error(readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n'), { cause });
  }
  return { end };
}

const answers = (url) =>
  execute(url, 'SELECT 1').then(
    () => true,
    () => false,
  );

/** Its standard input ends when this process does, even by SIGKILL; then it ends the server and removes the data. */
function startReaper(pid, dataDir) {
  const script = 'cat >/dev/null; kill -9 "$0"; sleep 1; rm -rf "$1"';
  const reaper = spawn('/bin/sh', ['-c', script, String(pid), dataDir], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  reaper.unref();
  return reaper;
}

function findBinary(name) {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/libexec',
    '/usr/local/sbin',
  ];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
