import { randomBytes } from 'node:crypto';
import { migrations } from '../../migrations/index.js';
import { createApp, type App, type AppParts } from '../../src/app.js';
import type { DocumentPolicy } from '../../src/authority/documents.js';
import { composeSchema, type ComposedSchema } from '../../src/compose/schema.js';
import { readConfig, type Config } from '../../src/config.js';
import { isoTime, systemClock, type Clock } from '../../src/core/clock.js';
import { sha256 } from '../../src/core/digest.js';
import { makeIds, type Ids } from '../../src/core/ids.js';
import { resourceAt, type GuardedPath } from '../../src/core/guarded-paths.js';
import { eq } from '../../src/store/sql/condition.js';
import { Database } from '../../src/store/sql/database.js';
import {
  agentRoles,
  agents,
  authorityEpoch,
  delegations,
  oauthPayloads,
  roles,
  userRoles,
  users,
  type DelegationRow,
  type StoredBoundary,
} from '../../src/store/tables/identity.js';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { migratedDatabaseUrl, targetOf, testDatabase } from './database.js';
import { freePort } from './free-port.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The tests check the shape of the answer.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any;
  readonly errors: readonly {
    message: string;
    path?: (string | number)[];
    extensions: Record<string, unknown>;
  }[];
}

const never = 86_400_000;

/** For tests that stand in the way of the next transaction: no background job begins one while they run. */
export const withoutBackgroundJobs: AppParts = {
  indexEveryMs: never,
  mergeEveryMs: never,
  renewEveryMs: never,
  tallyEveryMs: never,
  watchEveryMs: never,
};

/**
 * SQLite has one writer, and waiting for it blocks this whole process, along with a transaction that the test itself
 * may hold. So on SQLite records are indexed only where a test asks for it.
 */
const inBackground = (): AppParts => (testDatabase() === 'sqlite' ? { indexEveryMs: never } : {});

/** By `BEHALF_SMALLEST_CELL`, the one setting on which the shipped schema depends. */
const shippedSchemas = new Map<number, ComposedSchema>();

/** The shipped schema, composed once for a worker: nothing of one server or database is in it. */
function shippedSchema(config: Config): ComposedSchema {
  const { BEHALF_SMALLEST_CELL: smallestCell } = config;
  const schema = shippedSchemas.get(smallestCell) ?? composeSchema(config, {});
  shippedSchemas.set(smallestCell, schema);
  return schema;
}

export const everywhere: StoredBoundary = {
  customer: 'all',
  region: 'all',
  collection: 'all',
  classification: 'all',
  person: ['self'],
};

export interface PersonFixture {
  readonly id: string;
  readonly name: string;
  readonly token: string;
}
export interface AgentFixture {
  readonly id: string;
  readonly name: string;
  readonly roleId: string;
  readonly delegationId: string;
  readonly token: string;
}
interface Rights {
  readonly scopes: readonly string[];
  readonly boundary?: StoredBoundary;
  /** Default: `any`. */
  readonly documents?: DocumentPolicy;
  /** The largest cost of one operation. */
  readonly operationCost?: number;
}

/** One request to the endpoint of a server, in this process or another. */
export async function postGraphQL(
  url: string,
  token: string | undefined,
  body: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body,
  });
  const text = await response.text();
  const json = (text.startsWith('{') ? JSON.parse(text) : {}) as {
    data?: unknown;
    errors?: Answer['errors'];
  };
  return { status: response.status, headers: response.headers, data: json.data, errors: json.errors ?? [] };
}

/** A whole server over a database of its own, with callers made straight in the database. */
export class TestServer {
  private constructor(
    readonly app: App,
    readonly url: string,
    /** The issuer of its tokens. */
    readonly publicUrl: string,
    readonly database: Database,
    readonly databaseUrl: string,
    readonly clock: Clock,
    readonly ids: Ids,
    private readonly drop: () => Promise<void>,
  ) {}

  static async start(
    parts: AppParts = {},
    env: Record<string, string> = {},
    existing?: { readonly databaseUrl: string; readonly publicUrl?: string },
  ): Promise<TestServer> {
    const fresh =
      existing === undefined
        ? await migratedDatabaseUrl()
        : { url: existing.databaseUrl, drop: () => Promise.resolve() };
    const clock = parts.clock ?? systemClock;
    const ids = parts.ids ?? makeIds(clock);
    const target = targetOf(fresh.url);
    const database = await Database.open(target, migrations, 4);
    await database.migrate();
    const config = readConfig({
      DATABASE_URL: fresh.url,
      PORT: String(await freePort()),
      BEHALF_LOG_LEVEL: 'fatal',
      BEHALF_COOKIE_KEYS: 'k'.repeat(32),
      // The tokens of one server are good at the other, as behind one address.
      ...(existing?.publicUrl === undefined ? {} : { BEHALF_PUBLIC_URL: existing.publicUrl }),
      ...env,
    });
    const isShipped =
      parts.sdl === undefined &&
      parts.domains === undefined &&
      config.BEHALF_COMPANY === undefined &&
      config.BEHALF_DOMAINS === undefined;
    const schema = isShipped ? { schema: shippedSchema(config) } : {};
    const app = await createApp(config, { ...inBackground(), ...schema, ...parts, clock, ids });
    const url = await app.listen();
    return new TestServer(app, url, config.publicUrl, database, fresh.url, clock, ids, () => fresh.drop());
  }

  /** Another app on the same database, as a further server process would be. */
  replica(parts: AppParts = {}): Promise<TestServer> {
    return TestServer.start(parts, {}, this);
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.database.close();
    await this.drop();
  }

  async query(
    token: string | undefined,
    query: string,
    variables: Record<string, unknown> = {},
  ): Promise<Answer> {
    return this.post(token, JSON.stringify({ query, variables }));
  }

  post(token: string | undefined, body: string, headers: Record<string, string> = {}): Promise<Answer> {
    return postGraphQL(this.url, token, body, headers);
  }

  /** A person with one role of their own, and a token of all scopes. */
  async person(rights: Rights, name = `person-${randomBytes(4).toString('hex')}`): Promise<PersonFixture> {
    const id = this.ids.next();
    const now = isoTime(this.clock.now());
    await this.database.transaction(async (tx) => {
      await tx.insert(users, [
        {
          id,
          name,
          displayName: name,
          email: null,
          passwordHash: 'none',
          mustChangePassword: false,
          status: 'active',
          createdAt: now,
          version: 1,
        },
      ]);
      await bumpEpoch(tx);
    });
    await this.giveRole(id, rights);
    return { id, name, token: await this.token(id, undefined) };
  }

  /** Gives a person one more role. */
  async giveRole(userId: string, rights: Rights): Promise<string> {
    const roleId = await this.role('person', rights);
    await this.database.transaction(async (tx) => {
      await tx.insert(userRoles, [{ userId, roleId, grantedBy: null, grantedAt: isoTime(this.clock.now()) }]);
      await bumpEpoch(tx);
    });
    return roleId;
  }

  async role(holder: 'person' | 'agent', rights: Rights): Promise<string> {
    const id = this.ids.next();
    await this.database.transaction((tx) =>
      tx.insert(roles, [
        {
          id,
          name: `role-${id.toLowerCase()}`,
          description: 'a role of a test',
          businessTask: 'testing',
          holder,
          scopes: rights.scopes,
          approvalScopes: [],
          boundary: rights.boundary ?? everywhere,
          limits: {
            ...{ operations: 10_000, rows: 1_000_000, expirySeconds: 86_400, depth: 2 },
            ...(rights.operationCost === undefined ? {} : { operationCost: rights.operationCost }),
          },
          documents: rights.documents ?? 'any',
          signIn: 'any',
          shipped: false,
          createdAt: isoTime(this.clock.now()),
          version: 1,
        },
      ]),
    );
    return id;
  }

  /** An agent with one role, a delegation by the person, and a token for it. */
  async agent(
    person: PersonFixture,
    role: Rights,
    delegation: Rights & { operationsMax?: number; rowsMax?: number } = role,
  ): Promise<AgentFixture> {
    const id = this.ids.next();
    const name = `agent-${id.toLowerCase()}`;
    const now = isoTime(this.clock.now());
    const roleId = await this.role('agent', role);
    const delegationId = this.ids.next();
    await this.database.transaction(async (tx) => {
      await tx.insert(agents, [
        {
          id,
          name,
          displayName: name,
          businessTask: 'testing',
          ownerId: person.id,
          status: 'active',
          authMethod: 'client_secret_basic',
          jwks: null,
          workloads: null,
          certificateName: null,
          tokenBinding: 'any',
          redirectUris: null,
          tokenGeneration: 0,
          createdAt: now,
          version: 1,
        },
      ]);
      await tx.insert(agentRoles, [{ agentId: id, roleId, grantedBy: null, grantedAt: now }]);
      await tx.insert(delegations, [
        {
          id: delegationId,
          userId: person.id,
          agentId: id,
          roleId,
          parentId: null,
          depth: 0,
          purpose: 'a test',
          task: 'ticket:T-1',
          scopes: delegation.scopes,
          boundary: delegation.boundary ?? role.boundary ?? everywhere,
          operationsMax: delegation.operationsMax ?? 10_000,
          operationsUsed: 0,
          rowsMax: delegation.rowsMax ?? 1_000_000,
          rowsUsed: 0,
          depthMax: 2,
          status: 'active',
          resources: null,
          standing: false,
          signIn: 'any',
          createdAt: now,
          expiresAt: isoTime(this.clock.now() + 3_600_000),
          endedAt: null,
          endedBy: null,
          version: 1,
        },
      ]);
      await bumpEpoch(tx);
    });
    return {
      id,
      name,
      roleId,
      delegationId,
      token: await this.token(person.id, delegationId, delegation.scopes),
    };
  }

  /** An access token, stored as the authorization server would store it. */
  async token(
    userId: string,
    delegationId: string | undefined,
    scopes?: readonly string[],
    path: GuardedPath = '/graphql',
  ): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    const grantId = randomBytes(16).toString('base64url');
    const expiresAt = isoTime(this.clock.now() + 3_600_000);
    const row = { uid: null, userCode: null, accountId: userId, expiresAt, consumedAt: null, grantId };
    const payload = {
      clientId: 'test',
      aud: resourceAt(this.publicUrl, path),
      scope: (scopes ?? this.allScopes()).join(' '),
      ...(delegationId === undefined
        ? {}
        : {
            rar: [{ type: 'behalf_delegation', delegation: delegationId }],
            extra: { behalf_generation: await this.generationOf(delegationId) },
          }),
    };
    await this.database.transaction((tx) =>
      tx.insert(oauthPayloads, [
        { ...row, model: 'Grant', id: sha256(grantId), payload: '{}' },
        { ...row, model: 'AccessToken', id: sha256(token), payload: JSON.stringify(payload) },
      ]),
    );
    return token;
  }

  /** Ends a delegation as a revocation does. */
  async endDelegation(id: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      await tx.update(delegations, eq('id', id), { status: 'revoked' });
      await bumpEpoch(tx);
    });
  }

  /** The generation of a token that is issued now. */
  private async generationOf(delegationId: string): Promise<number> {
    const { read } = this.database;
    let generation = (await read.one(authorityEpoch, eq('id', 1)))?.tokenGeneration ?? 0;
    for (let id: string | null = delegationId; id !== null;) {
      const row: DelegationRow | undefined = await read.byId(delegations, id);
      generation += (await read.byId(agents, row?.agentId ?? ''))?.tokenGeneration ?? 0;
      id = row?.parentId ?? null;
    }
    return generation;
  }

  private allScopes(): string[] {
    return [...this.app.scopes];
  }
}
