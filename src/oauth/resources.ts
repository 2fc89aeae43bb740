import { eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { resourceServers } from '../store/tables/resource-servers.js';
import { guardedPaths, resourceAt } from './contract/resources.js';

/** A resource for which tokens are issued (RFC 8707). */
export interface Resource {
  readonly identifier: string;
  /** The scopes that its tokens may have. */
  readonly scopes: readonly string[];
}

/** The guarded paths of this server, and the resource servers that an administrator registered. */
export class Resources {
  private readonly own: ReadonlyMap<string, Resource>;

  /** @param scopes all scopes of the schema */
  constructor(
    private readonly connection: Connection,
    issuer: string,
    private readonly scopes: readonly string[],
  ) {
    this.own = new Map(
      guardedPaths.map((path) => {
        const identifier = resourceAt(issuer, path);
        return [identifier, { identifier, scopes }];
      }),
    );
  }

  /** Compares identifiers as text (RFC 8707 section 2). */
  async find(identifier: string): Promise<Resource | undefined> {
    const own = this.own.get(identifier);
    if (own !== undefined || identifier.length > 255) return own;
    const row = await this.connection.one(resourceServers, eq('identifier', identifier));
    if (row === undefined) return undefined;
    return { identifier, scopes: row.scopes.filter((scope) => this.scopes.includes(scope)) };
  }
}
