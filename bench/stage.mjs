import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mariaDbMissing, startMariaDb } from './database/mariadb.mjs';
import { settled } from './database/queue.mjs';
import { seed } from './database/seed.mjs';
import { LoadGenerator } from './load/client.mjs';
import { Calibration } from './measure/calibration.mjs';
import { workFolder } from './paths.mjs';
import { ServerProcess } from './servers/process.mjs';

/** What a run needs around the servers: databases, the load generator, the calibration. `close` ends all of it. */
export class Stage {
  #endings = [];
  #mariaDb;
  #databases = 0;

  constructor({ dist, progress }) {
    this.dist = dist;
    this.progress = progress;
    this.load = new LoadGenerator();
    this.calibration = new Calibration();
    this.#endings.push(
      () => this.load.stop(),
      () => this.calibration.stop(),
    );
  }

  /** A fresh database that holds a world, for servers of a build; returns its URL. */
  async database(kind, world, dist = this.dist) {
    this.#databases += 1;
    const name = `bench_${process.pid}_${this.#databases}`;
    const url = kind === 'sqlite' ? await this.#sqlite(name) : await this.#mariadb(name);
    await seed(url, world, dist, (table) => this.progress(`${kind}: seeding ${table}`));
    return url;
  }

  /** A server over a database, as a contender of `measure`. @param more see `ServerProcess.start` */
  async contender(name, database, url, world, more = {}) {
    const label = more.label ?? name;
    this.progress(`${database}: starting ${label}`);
    const server = await ServerProcess.start(name, { url, dist: this.dist, ...more });
    this.#endings.push(() => server.stop());
    const contender = { name, label, database, world, server };
    return name === 'behalf'
      ? { ...contender, settled: () => settled(url, more.dist ?? this.dist) }
      : contender;
  }

  async close() {
    for (const end of this.#endings.splice(0).reverse()) await end();
  }

  async #sqlite(name) {
    await mkdir(workFolder, { recursive: true });
    const path = join(workFolder, `${name}.sqlite`);
    this.#endings.push(async () => {
      for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true });
    });
    return `sqlite:${path}`;
  }

  async #mariadb(name) {
    if (this.#mariaDb === undefined) {
      const missing = mariaDbMissing();
      if (missing !== undefined) throw new Error(`${missing}, or leave it out with --databases sqlite.`);
      this.progress('mariadb: starting');
      this.#mariaDb = await startMariaDb();
      this.#endings.push(() => this.#mariaDb.stop());
    }
    return this.#mariaDb.createDatabase(name);
  }
}
