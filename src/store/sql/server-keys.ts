import { all } from './condition.js';
import type { Connection } from './connection.js';
import { serverKeys } from '../tables/server.js';

/** Secrets that a migration has created once. All servers of the database share them, across restarts. */
export interface ServerKeys {
  /** Seals cursors where no cookie keys are set. */
  readonly cursors: string;
  /** The key for digests of values that a record does not show. */
  readonly digests: string;
  /** Seals the client secrets of identity providers. */
  readonly providers: string;
}

export const ServerKeys = {
  async read(connection: Connection): Promise<ServerKeys> {
    const rows = await connection.select(serverKeys, all());
    const key = (name: keyof ServerKeys): string => {
      const value = rows.find((row) => row.name === name)?.value;
      if (value === undefined) throw new Error(`The database has no key ${name}: run \`behalf migrate\`.`);
      return value;
    };
    return { cursors: key('cursors'), digests: key('digests'), providers: key('providers') };
  },
};
