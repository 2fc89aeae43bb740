import { eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { resourceServers } from '../store/tables/resource-servers.js';
import { ownResources } from '../core/guarded-paths.js';

/** A registered server, to which its tokens are bound: another one may have its identifier before or after it. */
export interface RegisteredServer {
  readonly id: string;
  readonly name: string;
  /** When it was registered, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** A resource for which tokens are issued (RFC 8707). */
export interface Resource {
  readonly identifier: string;
  /** The scopes that its tokens may have. */
  readonly scopes: readonly string[];
  /** Undefined for a resource of this server itself. */
  readonly server?: RegisteredServer;
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
      ownResources(issuer).map((identifier) => [identifier, { identifier, scopes }] as const),
    );
  }

  /** Compares identifiers as text (RFC 8707 section 2). */
  async find(identifier: string): Promise<Resource | undefined> {
    const own = this.own.get(identifier);
    if (own !== undefined || identifier.length > 255) return own;
    const row = await this.connection.one(resourceServers, eq('identifier', identifier));
    if (row === undefined) return undefined;
    const { id, name, createdAt, scopes } = row;
    return {
      identifier,
      scopes: scopes.filter((scope) => this.scopes.includes(scope)),
      server: { id, name, sinceMs: Date.parse(createdAt) },
    };
  }
}

interface Noted {
  readonly state: { servers?: Map<string, RegisteredServer> };
}

/** Notes the server that has an identifier while this request is answered. */
export function noteServer(ctx: object, identifier: string, server: RegisteredServer): void {
  const { state } = ctx as Noted;
  (state.servers ??= new Map()).set(identifier, server);
}

/** The server that was noted for an identifier. Undefined for a resource of this server itself. */
export const serverNoted = (ctx: object, identifier: unknown): RegisteredServer | undefined =>
  typeof identifier === 'string' ? (ctx as Noted).state.servers?.get(identifier) : undefined;
