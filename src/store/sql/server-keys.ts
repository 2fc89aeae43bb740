import { all } from './condition.js';
import type { Connection } from './connection.js';
import { serverKeys } from '../tables/server.js';

/** Secrets that a migration has made once, so that all servers of the database have the same, and after a restart too. */
export interface ServerKeys {
  /** Seals cursors where no cookie keys are set. */
  readonly cursors: string;
  /** Keys the digests of values that a record does not show. */
  readonly digests: string;
}

export const ServerKeys = {
  async read(connection: Connection): Promise<ServerKeys> {
    const rows = await connection.select(serverKeys, all());
    const key = (name: keyof ServerKeys): string => {
      const value = rows.find((row) => row.name === name)?.value;
      if (value === undefined) throw new Error(`The database has no key ${name}: run \`behalf migrate\`.`);
      return value;
    };
    return { cursors: key('cursors'), digests: key('digests') };
  },
};
