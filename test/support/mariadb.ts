import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { freePort } from './free-port.js';

const startDeadlineMs = 60_000;
const stopDeadlineMs = 20_000;

export interface MariaDb {
  /** `mysql://user:password@127.0.0.1:port`, of an account with all rights. */
  readonly url: string;
  readonly dataDir: string;
  /** Of the current process; `restart` starts another one. */
  readonly pid: number;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
  /** Ends the server as a crash would; the data stays. */
  kill9(): Promise<void>;
  /** Serves the same data on the same port again, after `kill9` or a clean end. */
  restart(): Promise<void>;
}

/** Why the `mariadb` project cannot run here; undefined when it can. */
export function mariaDbUnavailable(): string | undefined {
  return process.env.BEHALF_TEST_MYSQL_URL === undefined ? mariaDbMissing() : undefined;
}

/** Why no private MariaDB can be started here; undefined when one can. */
function mariaDbMissing(): string | undefined {
  const missing = ['mariadbd', 'mariadb-install-db'].filter((name) => findBinary(name) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(' and ')} not found: install MariaDB's server`;
}

/** Options of a server that loses its last commits when it is killed, and makes and drops tables quickly. */
export const forgetful = [
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=0',
  '--innodb-file-per-table=0',
  '--innodb-stats-persistent=0',
];

/**
 * Starts a MariaDB of its own, which ends with this process in any case.
 * @param more options of the server beside, and instead of, the usual ones
 */
export async function startMariaDb(more: readonly string[] = [], parent = tmpdir()): Promise<MariaDb> {
  const dataDir = await mkdtemp(join(parent, 'behalf-mariadb-'));
  try {
    return await startIn(dataDir, more);
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(dataDir: string, more: readonly string[]): Promise<MariaDb> {
  // The server refuses to run as root unless an option allows it.
  const asUser = process.getuid?.() === 0 ? ['--user=root'] : [];
  await promisify(execFile)(requireBinary('mariadb-install-db'), [
    '--no-defaults',
    `--datadir=${dataDir}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    ...asUser,
  ]);
  const port = await freePort();
  const password = randomBytes(16).toString('hex');
  const initFile = join(dataDir, 'accounts.sql');
  await writeFile(
    initFile,
    [
      `DELETE FROM mysql.global_priv WHERE User IN ('', 'root');`,
      `FLUSH PRIVILEGES;`,
      `CREATE OR REPLACE USER behalf@'127.0.0.1' IDENTIFIED BY '${password}';`,
      `GRANT ALL ON *.* TO behalf@'127.0.0.1' WITH GRANT OPTION;`,
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
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
    '--innodb-buffer-pool-size=64M',
    '--max-connections=500',
    ...more,
  ];
  const serve = (): Promise<ServerProcess> => ServerProcess.start(options, dataDir, url);
  let server = await serve();
  return {
    url,
    dataDir,
    get pid() {
      return server.pid;
    },
    stop: async () => {
      await server.end('SIGTERM');
      await rm(dataDir, { recursive: true, force: true });
    },
    kill9: () => server.end('SIGKILL'),
    restart: async () => {
      await server.end('SIGTERM');
      server = await serve();
    },
  };
}

class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly reaper: ChildProcess,
    readonly pid: number,
  ) {}

  static async start(options: readonly string[], dataDir: string, url: string): Promise<ServerProcess> {
    const logFile = join(dataDir, 'error.log');
    const log = openSync(logFile, 'a');
    // Detached, so that Ctrl-C reaches the test runner, which then ends the server in order.
    const child = spawn(requireBinary('mariadbd'), options, { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    await once(child, 'spawn');
    if (child.pid === undefined) throw new Error('mariadbd has no process id.');
    const server = new ServerProcess(child, startReaper(child.pid, dataDir), child.pid);
    try {
      await server.accepting(url);
    } catch (cause) {
      await server.end('SIGKILL');
      const tail = readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n');
      throw new Error(`MariaDB did not start.\n${tail}`, { cause });
    }
    return server;
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.isRunning()) {
      const exit = once(this.child, 'exit');
      this.child.kill(signal);
      const patience = setTimeout(() => this.child.kill('SIGKILL'), stopDeadlineMs);
      await exit;
      clearTimeout(patience);
    }
    this.reaper.kill('SIGKILL');
  }

  private async accepting(url: string): Promise<void> {
    const deadline = Date.now() + startDeadlineMs;
    for (;;) {
      try {
        const connection = await createConnection(url);
        await connection.query('SELECT 1');
        await connection.end();
        return;
      } catch (error) {
        if (!this.isRunning() || Date.now() > deadline) throw error;
        await sleep(50);
      }
    }
  }

  private isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }
}

/** Its standard input ends with this process, even by SIGKILL; then it ends the server and removes the data. */
function startReaper(pid: number, dataDir: string): ChildProcess {
  const script = 'cat >/dev/null; kill -9 "$0"; sleep 1; rm -rf "$1"';
  const reaper = spawn('/bin/sh', ['-c', script, String(pid), dataDir], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  reaper.unref();
  return reaper;
}

function requireBinary(name: string): string {
  const path = findBinary(name);
  if (path === undefined) throw new Error(`${name} not found: install MariaDB's server.`);
  return path;
}

function findBinary(name: string): string | undefined {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/libexec',
    '/usr/local/sbin',
  ];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
