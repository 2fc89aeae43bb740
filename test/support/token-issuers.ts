import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { storeConsent } from '../../src/delegation/consent.js';
import { addProvider, linkIdentity } from '../../src/admin/identity-providers.js';
import { addIssuer, mapAgent, type NewIssuer } from '../../src/admin/token-issuers.js';
import { rotateSecret } from '../../src/admin/agents.js';
import { eq } from '../../src/store/sql/condition.js';
import { agents, users, type AgentRow, type UserRow } from '../../src/store/tables/identity.js';
import type { IdentityProviderRow } from '../../src/store/tables/identity-providers.js';
import type { TokenIssuerRow } from '../../src/store/tables/token-issuers.js';
import { catalog, type Company, type Employee } from './administration.js';
import { everywhere } from './server.js';
import { secretsAllowed } from './secrets-allowed.js';

/** One issuer with a key of its own, at a path of the server. */
export class TestIssuer {
  /** The status of the answer with its keys. */
  status = 200;
  metadata: Record<string, unknown> = {};

  private constructor(
    readonly url: string,
    readonly key: CryptoKey,
    readonly publicKey: CryptoKey,
    readonly jwk: JWK,
  ) {}

  static async at(url: string): Promise<TestIssuer> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    // All issuers use the same kid.
    const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'ES256', use: 'sig' };
    return new TestIssuer(url, privateKey, publicKey, jwk);
  }

  sign(claims: JWTPayload, header: Record<string, unknown> = {}, key: CryptoKey | Uint8Array = this.key) {
    return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'key-1', ...header }).sign(key);
  }
}

/** Issuers behind one real HTTP server: metadata and keys of each below its path. */
export class TestIssuers {
  private readonly all = new Map<string, TestIssuer>();

  private constructor(
    private readonly server: Server,
    private readonly origin: string,
  ) {}

  static async start(): Promise<TestIssuers> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const issuers = new TestIssuers(server, `http://127.0.0.1:${String(port)}`);
    server.on('request', (request, response) => {
      const [, path = '', ...rest] = (request.url ?? '').split('/');
      const issuer = issuers.all.get(path);
      const isKeys = rest.join('/') === 'jwks';
      const isMetadata = rest.join('/') === '.well-known/openid-configuration';
      response.statusCode = issuer === undefined || !(isKeys || isMetadata) ? 404 : issuer.status;
      response.setHeader('content-type', 'application/json');
      const metadata = { issuer: issuer?.url, jwks_uri: `${issuer?.url ?? ''}/jwks`, ...issuer?.metadata };
      response.end(JSON.stringify(isKeys ? { keys: [issuer?.jwk] } : metadata));
    });
    return issuers;
  }

  async add(path: string): Promise<TestIssuer> {
    const issuer = await TestIssuer.at(`${this.origin}/${path}`);
    this.all.set(path, issuer);
    return issuer;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export interface Client {
  readonly row: AgentRow;
  readonly secret: string;
}

/** A company whose people are known by a provider, and whose agents have secrets. */
export class Exchange {
  private constructor(
    readonly company: Company,
    readonly provider: IdentityProviderRow,
  ) {}

  static async of(company: Company): Promise<Exchange> {
    const input = { label: 'Acme', issuer: 'https://login.example.com', clientId: 'behalf', scopes: [] };
    const more = { clientSecret: 'secret', groupsClaim: 'groups', userNameClaim: 'name' };
    const provider = await company.do((unit) =>
      addProvider(unit, { name: 'acme', ...input, ...more, mayCreateUsers: false }, false),
    );
    return new Exchange(company, provider);
  }

  async user({ id }: { readonly id: string }): Promise<UserRow> {
    const row = await this.company.server.database.read.byId(users, id);
    if (row === undefined) throw new Error('no such user');
    return row;
  }

  async person(name: string, subject: string, ...roles: string[]): Promise<Employee> {
    const person = await this.company.employee(name, ...roles);
    const user = await this.user(person);
    await this.company.do((unit) => linkIdentity(unit, this.company.root.id, this.provider, user, subject));
    return person;
  }

  async agent(name: string, owner: Employee, role: string): Promise<Client> {
    const { id } = await this.company.agent(name, owner, role);
    const row = await this.company.server.database.read.byId(agents, id);
    if (row === undefined) throw new Error('no such agent');
    const { secret } = await this.company.do((unit) =>
      rotateSecret(unit, this.company.root.id, row, 0, secretsAllowed),
    );
    return { row: (await this.company.server.database.read.one(agents, eq('id', id))) ?? row, secret };
  }

  async consent(person: Employee, { row }: Client, scopes: string[]): Promise<string> {
    const role = await this.company.role('support-agent');
    const offer = { agent: row, role, scopes, boundary: { ...everywhere, person: [person.id] } };
    const given = await this.company.do((unit) =>
      storeConsent({ ...unit, catalog }, person.id, offer, 86_400 * 30),
    );
    return given.consent.id;
  }

  async trust(name: string, issuer: TestIssuer, changes: Partial<NewIssuer> = {}): Promise<TokenIssuerRow> {
    const entry = {
      ...{ name, issuer: issuer.url, dialect: 'client-id', userClaim: null, audiences: [] },
      ...{ tokenTypes: ['access_token', 'jwt', 'id_token', 'id-jag'], ageMaxSeconds: 600, actorsMax: 1 },
      ...changes,
    };
    return this.company.do((unit) => addIssuer(unit, this.company.root.id, this.provider, entry, false));
  }

  map(issuer: TokenIssuerRow, actor: string, { row }: Client): Promise<void> {
    return this.company.do((unit) => mapAgent(unit, this.company.root.id, issuer, actor, row));
  }
}
