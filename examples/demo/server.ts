import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp, type AppParts } from '../../src/app.js';
import { openDatabase } from '../../src/cli/operator/open-database.js';
import { loadDemoCompany, type LoadedCompany } from '../../src/demo/load-demo-company.js';
import { CommandError } from '../../src/core/command-error.js';
import { readConfig, type Config } from '../../src/config.js';
import { describeDatabase } from '../../src/core/database-url.js';
import { systemClock } from '../../src/core/clock.js';
import { makeIds } from '../../src/core/ids.js';

import type { Database } from '../../src/store/sql/database.js';

type Person = LoadedCompany['people'][number];
type Agent = LoadedCompany['agents'][number];

/** A server of the demo's own, with the demo company in its database. */
export interface DemoServer {
  readonly url: string;
  /** For people, without user and password. */
  readonly database: string;
  readonly databaseUrl: string;
  readonly counts: LoadedCompany['counts'];
  /** People and agents of the company, by role. */
  person(role: string): Person;
  agent(role: string): Agent;
  /** Ends the server and removes temporary files. */
  close(): Promise<void>;
}

export interface ServerOptions {
  /** An empty database, in which the demo company stays. Default: a temporary SQLite file. */
  readonly databaseUrl?: string | undefined;
  readonly parts?: AppParts;
  readonly onProgress?: (doing: string) => void;
}

/** Migrates and fills the database, then listens on a free port of the loopback address. */
export async function startDemoServer(options: ServerOptions = {}): Promise<DemoServer> {
  const { databaseUrl, parts = {}, onProgress = () => undefined } = options;
  const folder = databaseUrl === undefined ? await mkdtemp(join(tmpdir(), 'behalf-demo-')) : undefined;
  const cleanUp = async (): Promise<void> => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    const config = readConfig({
      DATABASE_URL: databaseUrl ?? `sqlite:${join(folder ?? '', 'behalf.sqlite')}`,
      PORT: String(await freePort()),
      BEHALF_LOG_LEVEL: process.env.BEHALF_LOG_LEVEL ?? 'fatal',
    });
    const company = await load(config, onProgress);
    onProgress('Starting the server');
    const app = await createApp(config, parts);
    const close = async (): Promise<void> => {
      await app.close();
      await cleanUp();
    };
    const url = await app.listen().catch(async (error: unknown) => {
      await close();
      throw error;
    });
    return {
      url,
      database: folder === undefined ? describeDatabase(config.database) : 'a temporary SQLite file',
      databaseUrl: config.DATABASE_URL,
      ...cast(company),
      close,
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function load(config: Config, onProgress: (doing: string) => void): Promise<LoadedCompany> {
  onProgress('Making the database');
  const database = await openDatabase(config, 'any');
  try {
    if (await hasTables(database)) {
      throw new CommandError(
        'The demo needs a database without any tables. Empty this one, or leave DATABASE_URL out.',
      );
    }
    await database.migrate();
    const rules = { allowHttp: false, staticSecrets: true };
    return await loadDemoCompany(database, {
      clock: systemClock,
      ids: makeIds(systemClock),
      rules,
      onProgress,
    });
  } finally {
    await database.close();
  }
}

/** Checked before any write: a database that has tables stays as it is. */
async function hasTables({ read, dialect }: Database): Promise<boolean> {
  const tables =
    dialect === 'mysql'
      ? 'SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() LIMIT 1'
      : "SELECT 1 FROM sqlite_master WHERE type = 'table' LIMIT 1";
  return (await read.query(tables)).length > 0;
}

function cast({ people, agents, counts }: LoadedCompany): Pick<DemoServer, 'person' | 'agent' | 'counts'> {
  const found = <T>(item: T | undefined, role: string): T => {
    if (item === undefined) throw new Error(`Nobody at the demo company holds the role ${role}.`);
    return item;
  };
  return {
    counts,
    person: (role) =>
      found(
        people.find((person) => person.role === role),
        role,
      ),
    agent: (role) =>
      found(
        agents.find((agent) => agent.role === role),
        role,
      ),
  };
}

/** The issuer is part of the settings, so the port has to be known before the server listens. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('The system gave no port.'));
      });
    });
  });
