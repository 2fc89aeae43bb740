import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { migrations } from '../../migrations/index.js';
import { stockMovements } from '../../src/domains/business/tables.js';
import { Database } from '../../src/store/sql/database.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { targetOf } from './database.js';
import { BusinessRows } from './business.js';
import { faultsOf } from './crash-check.js';
import { clientsMax, Load } from './crash-load.js';
import { TestServer } from './server.js';
import { ServerProcess } from './server-process.js';

const stockAtFirst = 1_000;
const scopes = ['products:read', 'stock:read', 'stock:adjust'];
/** Responses in a round before its crash. */
const [answersMin, answersMax] = [40, 400];

export interface Figures {
  readonly rounds: number;
  /** Responses with data that clients received. */
  readonly acknowledged: number;
  readonly changes: number;
  readonly records: number;
  readonly faults: readonly string[];
}

/** A database whose server is killed under load again and again. */
export class Crashes {
  private rounds = 0;

  private constructor(
    private readonly databaseUrl: string,
    private readonly settings: Readonly<Record<string, string>>,
    private readonly load: Load,
    private server: ServerProcess,
  ) {}

  /** Migrates the database, and makes four delegations and four products in it. */
  static async start(databaseUrl: string): Promise<Crashes> {
    const making = await TestServer.start({}, {}, { databaseUrl });
    const person = await making.person({ scopes });
    const rows = new BusinessRows(making);
    const tokens: string[] = [];
    const productIds: string[] = [];
    for (let made = 0; made < 4; made += 1) {
      const unlimited = { scopes, operationsMax: 1_000_000_000, rowsMax: 1_000_000_000 };
      tokens.push((await making.agent(person, { scopes }, unlimited)).token);
      productIds.push((await rows.product(`P-${String(made)}`, { stock: stockAtFirst })).id);
    }
    await making.stop();
    const load = new Load(tokens, productIds, `crash-${String(Date.now())}`);
    const settings = { BEHALF_PUBLIC_URL: making.publicUrl };
    return new Crashes(databaseUrl, settings, load, await ServerProcess.start(databaseUrl, settings));
  }

  /** Load, `kill -9` in the middle of it, then a new server on the remaining data. */
  async round(): Promise<void> {
    const enough = this.load.acknowledged.length + randomInt(answersMin, answersMax);
    const running = this.load.run(this.server.url);
    await Promise.race([this.load.until(() => this.load.acknowledged.length >= enough), running]);
    // At any moment in the life of a request, not only right after an answer.
    await setTimeout(randomInt(20));
    await this.server.kill9();
    await running;
    await this.again();
    this.rounds += 1;
  }

  /** Kills the database under load and restarts it; the server recovers by itself. */
  async databaseRound(database: { kill9(): Promise<void>; restart(): Promise<void> }): Promise<void> {
    const { load } = this;
    let recover = (): void => undefined;
    const recovered = new Promise<void>((resolve) => (recover = resolve));
    const refused = (): number => [...load.refused.values()].reduce((sum, count) => sum + count, 0);
    const running = load.run(this.server.url, recovered);
    await load.until(() => load.acknowledged.length >= answersMin);
    const noticed = load.until(() => refused() >= clientsMax);
    await database.kill9();
    await noticed;
    await database.restart();
    recover();
    const enough = load.acknowledged.length + answersMin;
    await load.until(() => load.acknowledged.length >= enough);
    load.stop();
    await running;
    await this.server.kill9();
    await this.again();
    this.rounds += 1;
  }

  get refused(): readonly string[] {
    return [...this.load.refused.keys()];
  }

  async figures(): Promise<Figures> {
    return this.looking(async (database) => {
      const { acknowledged } = this.load;
      const count = async (table: string): Promise<number> =>
        Number((await database.read.query(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n);
      return {
        rounds: this.rounds,
        acknowledged: acknowledged.length,
        changes: await count(stockMovements.name),
        records: await count(auditRecords.name),
        faults: await faultsOf(database, acknowledged, stockAtFirst),
      };
    });
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** Asks the server to end in the middle of the load; returns its exit code. */
  async shutDown(): Promise<number | null> {
    const { load } = this;
    const running = load.run(this.server.url);
    await Promise.race([load.until(() => load.acknowledged.length >= answersMax), running]);
    await this.server.stop();
    await running;
    this.rounds += 1;
    return this.server.exitCode;
  }

  /** Waits for the dead server's last statement in MariaDB, then starts a server on the same data. */
  private async again(): Promise<void> {
    if (this.databaseUrl.startsWith('mysql:')) await othersGone(this.databaseUrl);
    this.server = await ServerProcess.start(this.databaseUrl, this.settings);
  }

  private async looking<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const target = targetOf(this.databaseUrl);
    const database = await Database.open(target, migrations, 2);
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }
}

/** By a single connection: a `Database` has several. */
export async function othersGone(url: string): Promise<void> {
  const others =
    'SELECT COUNT(*) AS n FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()';
  const connection = await createConnection(url);
  try {
    for (let left = 1; left > 0;) {
      const [rows] = await connection.query<(RowDataPacket & { n: number })[]>(others);
      left = Number(rows[0]?.n);
    }
  } finally {
    await connection.end();
  }
}
