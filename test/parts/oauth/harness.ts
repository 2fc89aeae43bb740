import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { generateKeyPair, exportJWK, type CryptoKey } from 'jose';
import { vi } from 'vitest';
import { migrations } from '../../../migrations/index.js';
import { isoTime, systemClock } from '../../../src/core/clock.js';
import { parseDatabaseUrl } from '../../../src/core/database-url.js';
import type { Logger } from '../../../src/core/logger.js';
import { makeIds } from '../../../src/core/ids.js';
import { GuardedFetch } from '../../../src/core/outgoing/guarded-fetch.js';
import { hashClientSecret } from '../../../src/core/client-secrets.js';
import {
  commandLineClient,
  defaultLimits,
  type OAuthSettings,
} from '../../../src/oauth/contract/dependencies.js';
import { ClientRegistry } from '../../../src/admin/client-registry.js';
import { Passkeys } from '../../../src/admin/passkeys.js';
import { ProviderAccounts } from '../../../src/admin/provider-accounts.js';
import { makeAddressOf } from '../../../src/transports/http/address.js';
import { createOAuth, type OAuth } from '../../../src/oauth/server.js';
import { eq } from '../../../src/store/sql/condition.js';
import { Database } from '../../../src/store/sql/database.js';
import {
  agents,
  agentSecrets,
  users,
  type AgentRow,
  type UserRow,
} from '../../../src/store/tables/identity.js';
import { migratedDatabaseUrl } from '../../support/database.js';
import { passwordHash } from '../../support/passwords.js';
import { MemoryDelegations } from './memory-delegations.js';
import { MemoryRecorder } from './memory-recorder.js';

export const allScopes = ['customers:read', 'invoices:read', 'refunds:issue', 'tickets:read'];
export const loopback = 'http://127.0.0.1:45678/callback';

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createTcpServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => {
        resolve(port);
      });
    });
  });

/** Lines that the server logged, so that a test can look for what must not be there. */
function memoryLogger() {
  const lines: string[] = [];
  const write = (...parts: unknown[]): void => {
    lines.push(
      parts
        .map((part) =>
          JSON.stringify(part, (_key, value: unknown) => (value instanceof Error ? value.stack : value)),
        )
        .join(' '),
    );
  };
  const logger: Logger = {
    isLevelEnabled: () => true,
    debug: write,
    info: write,
    warn: write,
    error: write,
    fatal: write,
  };
  return { lines, logger };
}

/** The authorization server behind real HTTP with a real database; delegations and the recorder are stood in for. */
export class Harness {
  private constructor(
    readonly issuer: string,
    readonly database: Database,
    readonly oauth: OAuth,
    readonly delegations: MemoryDelegations,
    readonly recorder: MemoryRecorder,
    readonly logLines: readonly string[],
    private readonly server: Server,
    private readonly dropDatabase: () => Promise<void>,
  ) {}

  private readonly ids = makeIds(systemClock);

  static async start(changes: Partial<OAuthSettings> = {}): Promise<Harness> {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T12:00:00.000Z') });
    const fresh = await migratedDatabaseUrl();
    const database = await Database.open(parseDatabaseUrl(fresh.url), migrations);
    const issuer = `http://127.0.0.1:${String(await freePort())}`;
    const { lines, logger } = memoryLogger();
    const delegations = new MemoryDelegations(database, systemClock);
    const recorder = new MemoryRecorder();
    const settings: OAuthSettings = {
      issuer,
      scopes: allScopes,
      accessTokenTtlSeconds: 300,
      refreshTokenTtlSeconds: 86_400,
      cookieKeys: ['a key that is only good for tests, and long'],
      clients: [commandLineClient],
      allowHttp: false,
      mutualTls: undefined,
      staticSecrets: true,
      passwordUsers: undefined,
      clientDocuments: false,
      clientRegistration: false,
      limits: defaultLimits,
      ...changes,
    };
    const oauth = createOAuth({
      database,
      clock: systemClock,
      ids: makeIds(systemClock),
      logger,
      delegations,
      recorder,
      identities: new ProviderAccounts(systemClock, makeIds(systemClock)),
      clients: new ClientRegistry(systemClock, makeIds(systemClock)),
      passkeys: new Passkeys(systemClock, makeIds(systemClock), issuer),
      settings,
      outgoing: new GuardedFetch({ allowHttp: false, privateHosts: ['127.0.0.1'] }),
      documentFetch: new GuardedFetch({ allowHttp: false, privateHosts: ['127.0.0.1'] }),
      addressOf: makeAddressOf(1),
      certificateOf: () => undefined,
    });
    const server = createServer((request, response) => {
      oauth.handle(request, response);
    });
    await new Promise<void>((resolve) => {
      server.listen(Number(new URL(issuer).port), '127.0.0.1', resolve);
    });
    const drop = (): Promise<void> => fresh.drop();
    return new Harness(issuer, database, oauth, delegations, recorder, lines, server, drop);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    await this.database.close();
    await this.dropDatabase();
    vi.useRealTimers();
  }

  async addUser(name: string, changes: Partial<UserRow> = {}): Promise<UserRow> {
    const user: UserRow = {
      id: this.ids.next(),
      name,
      displayName: name.toUpperCase(),
      email: null,
      passwordHash,
      mustChangePassword: false,
      status: 'active',
      createdAt: isoTime(systemClock.now()),
      version: 1,
      ...changes,
    };
    await this.database.transaction((tx) => tx.insert(users, [user]));
    return user;
  }

  async setUser(id: string, changes: Partial<UserRow>): Promise<void> {
    await this.database.transaction((tx) => tx.update(users, eq('id', id), changes));
  }

  async addAgent(
    name: string,
    ownerId: string,
    changes: Partial<AgentRow> = {},
  ): Promise<{ agent: AgentRow; secret: string }> {
    const agent: AgentRow = {
      id: this.ids.next(),
      name,
      displayName: `The ${name}`,
      businessTask: 'Answers customers',
      ownerId,
      status: 'active',
      authMethod: 'client_secret_basic',
      jwks: null,
      workloads: null,
      certificateName: null,
      tokenBinding: 'any',
      redirectUris: null,
      tokenGeneration: 0,
      createdAt: isoTime(systemClock.now()),
      version: 1,
      ...changes,
    };
    await this.database.transaction((tx) => tx.insert(agents, [agent]));
    return { agent, secret: await this.addSecret(agent.id, `secret of ${name}`) };
  }

  async addSecret(agentId: string, secret: string, expiresAt: string | null = null): Promise<string> {
    const row = {
      id: this.ids.next(),
      agentId,
      secretHash: hashClientSecret(secret),
      createdAt: isoTime(systemClock.now()),
      expiresAt,
    };
    await this.database.transaction((tx) => tx.insert(agentSecrets, [row]));
    return secret;
  }

  async addKeyAgent(name: string, ownerId: string): Promise<{ agent: AgentRow; key: CryptoKey }> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1' };
    const { agent } = await this.addAgent(name, ownerId, {
      authMethod: 'private_key_jwt',
      jwks: { keys: [jwk] },
    });
    return { agent, key: privateKey };
  }

  nextId(): string {
    return this.ids.next();
  }

  /** A request to one of the endpoints; `credentials` by HTTP Basic. */
  async post(
    path: string,
    form: Record<string, string>,
    credentials?: { id: string; secret: string },
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
    const basic: Record<string, string> =
      credentials === undefined
        ? {}
        : {
            authorization: `Basic ${Buffer.from(`${encodeURIComponent(credentials.id)}:${encodeURIComponent(credentials.secret)}`).toString('base64')}`,
          };
    const response = await fetch(`${this.issuer}${path}`, {
      method: 'POST',
      headers: { ...basic, ...headers },
      body: new URLSearchParams(form),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
      headers: response.headers,
    };
  }

  /** Everything that is stored, as text. */
  async dump(): Promise<string> {
    const rows = await this.database.read.query('SELECT * FROM behalf_oauth_payloads');
    return JSON.stringify(rows);
  }

  fact(token: string) {
    return this.oauth.findAccessToken(this.database.read, token);
  }
}

export const forwardSeconds = (seconds: number): void => {
  vi.setSystemTime(Date.now() + seconds * 1000);
};
