import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { addProvider } from '../../src/admin/identity-providers.js';
import { mapGroup } from '../../src/admin/provided-roles.js';
import { eq } from '../../src/store/sql/condition.js';
import type { IdentityProviderRow } from '../../src/store/tables/identity-providers.js';
import { roles, type RoleRow, type StoredBoundary } from '../../src/store/tables/identity.js';
import { Browser, type Shown } from '../parts/oauth/browser.js';
import { key } from './administration.js';
import { makeRole, personScopes, taskScopes } from './case.js';
import type { ClientProof } from './chain-actors.js';
import { companyClientId, CompanyProvider, companySecret } from './company-provider.js';
import { testDatabase } from './database.js';
import { heldPort } from './free-port.js';
import { Office, type TokenAnswer } from './office.js';
import { answerOf, ProviderJourney } from './provider-journey.js';
import { ServerProcess } from './server-process.js';
import { everywhere, postGraphQL, type Answer } from './server.js';
import { TestIssuers, type TestIssuer } from './token-issuers.js';

export const linksMax = 6;
const triesMax = 20;

const settings = { BEHALF_TRUSTED_PROXIES: '1', BEHALF_PRIVATE_HOSTS: '127.0.0.1' };

/** What surrounds the servers. */
interface Surroundings {
  readonly office: Office;
  readonly provider: CompanyProvider;
  readonly issuers: TestIssuers;
  /** Signs the tokens of workloads. */
  readonly cluster: TestIssuer;
  /** The key of clients that have one, and of bound tokens. */
  readonly signingKey: CryptoKey;
  readonly publicKey: JWK;
  readonly publicKeys: string;
  readonly providerRow: IdentityProviderRow;
  readonly agentRoleId: string;
  readonly personRoleId: string;
  /** The regions that agents may reach, and one that they may not. */
  readonly regions: readonly string[];
  readonly foreignRegion: string;
}

/**
 * Two server processes over one MariaDB, behind one public address, or one server over SQLite in place of both; and the
 * company's provider, other issuers and a cluster with workloads.
 */
export class TwoServers {
  private signingIn: Promise<unknown> = Promise.resolve();
  private rootToken: { readonly value: string; readonly until: number } | undefined;

  private constructor(
    private readonly around: Surroundings,
    private readonly urls: readonly [string, string],
    private readonly processes: readonly ServerProcess[],
  ) {}

  static async start(): Promise<TwoServers> {
    if (testDatabase() === 'sqlite') {
      const office = await Office.start({}, settings);
      const { url } = office.server;
      return new TwoServers(await surroundingsOf(office, url), [url, url], []);
    }
    const held = await heldPort();
    const port = String(held.port);
    const url = `http://127.0.0.1:${port}`;
    const behind = { ...settings, BEHALF_PUBLIC_URL: url };
    const office = await Office.start({}, behind);
    const around = await surroundingsOf(office, url);
    const { databaseUrl } = office.server;
    await held.release();
    const processes = await Promise.all([
      ServerProcess.start(databaseUrl, { ...behind, PORT: port }),
      ServerProcess.start(databaseUrl, behind),
    ]);
    const [first, second] = processes;
    return new TwoServers(around, [first.url, second.url], processes);
  }

  async stop(): Promise<void> {
    const { provider, issuers, office } = this.around;
    await Promise.all(this.processes.map((server) => server.stop()));
    await Promise.all([provider.stop(), issuers.stop()]);
    await office.server.stop();
  }

  get office(): Office {
    return this.around.office;
  }

  /** The public address of both, which is their issuer. */
  get url(): string {
    return this.urls[0];
  }

  get cluster(): TestIssuer {
    return this.around.cluster;
  }

  /** The workload of an agent. */
  workload(name: string): { readonly issuer: string; readonly subject: string } {
    return { issuer: this.cluster.url, subject: `system:serviceaccount:chains:${name}` };
  }

  get known(): Omit<Surroundings, 'office' | 'provider' | 'cluster'> {
    return this.around;
  }

  /** A proof of the key to which tokens of bound chains are bound (RFC 9449), for one request. */
  async dpopProof(path: string, token?: string): Promise<string> {
    const claims = { jti: randomUUID(), htm: 'POST', htu: `${this.url}${path}` };
    const ath = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') };
    return new SignJWT({ ...claims, ...ath, iat: Math.floor(Date.now() / 1000) })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: this.around.publicKey })
      .sign(this.around.signingKey);
  }

  /** Asks again where rights of others changed several times meanwhile, as the answer says. */
  async ask(to: Caller, token: string, query: string, isBound = false): Promise<Answer> {
    const body = JSON.stringify({ query });
    for (let tries = 1; ; tries += 1) {
      const bound: Record<string, string> = isBound
        ? { authorization: `DPoP ${token}`, dpop: await this.dpopProof('/graphql', token) }
        : {};
      const answer = await postGraphQL(this.urlAt(to), token, body, { ...headersOf(to), ...bound });
      if (tries === triesMax || answer.errors[0]?.extensions.code !== 'CONFLICT') return answer;
    }
  }

  /** Throws where the mutation of one field fails. */
  async mutate(
    to: Caller,
    token: string,
    field: string,
    args = '',
    selection = '__typename',
    isBound = false,
  ): Promise<Answer> {
    const mutation = `mutation { ${field}(${args} idempotencyKey: "${key()}") { ${selection} } }`;
    const answer = await this.ask(to, token, mutation, isBound);
    if (answer.errors.length > 0) throw new Error(`${field}: ${JSON.stringify(answer.errors)}`);
    return answer;
  }

  async post(
    to: Caller,
    path: string,
    form: Record<string, string>,
    { form: more, ...headers }: ClientProof = { form: {} },
  ): Promise<TokenAnswer> {
    const response = await fetch(`${this.urlAt(to)}${path}`, {
      method: 'POST',
      headers: { ...headersOf(to), ...headers },
      body: new URLSearchParams({ ...form, ...more }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as TokenAnswer['body']) };
  }

  /** A token of the administrator. */
  async root(): Promise<string> {
    const { server, company } = this.office;
    if (this.rootToken === undefined || this.rootToken.until < Date.now()) {
      const value = await server.token(company.root.id, undefined);
      this.rootToken = { value, until: Date.now() + 1_800_000 };
    }
    return this.rootToken.value;
  }

  /** Signs a person in at the company's own program. */
  signIn(sub: string, groups: readonly string[]): Promise<string> {
    return this.asPerson(sub, groups, async () => {
      const journey = await ProviderJourney.begin(this.url, 'acme', this.around.provider);
      return (await journey.flow.redeem(await journey.arrive())).access_token;
    });
  }

  /** Does what needs a sign-in with the provider, one after another: it knows by its own state who signs in. */
  asPerson<T>(sub: string, groups: readonly string[], work: () => Promise<T>): Promise<T> {
    const next = this.signingIn.then(() => {
      this.around.provider.signedIn = { sub, groups, preferred_username: sub };
      return work();
    });
    this.signingIn = next.catch(() => undefined);
    return next;
  }

  browser({ address }: Caller): Browser {
    return new Browser(this.url, { 'x-forwarded-for': address });
  }

  /** From a sign-in page to the provider and back; gives the page that comes then. Only inside of `asPerson`. */
  async throughProvider(browser: Browser, page: Shown): Promise<Shown> {
    const answer = await answerOf('acme', this.around.provider, browser, page);
    return browser.open(answer.href);
  }

  /** Back-channel logout: the provider says that the person's session there has ended. */
  async logOut(to: Caller, sub: string): Promise<void> {
    const now = Math.floor(Date.now() / 1000);
    const { issuer } = this.around.provider;
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const claims = { iss: issuer, aud: companyClientId, iat: now, exp: now + 120, jti: key(), sub, events };
    const token = await this.around.provider.sign(claims, { typ: 'logout+jwt' });
    const { status } = await this.post(to, '/oauth/backchannel_logout', { logout_token: token });
    if (status !== 200) throw new Error(`back-channel logout: ${String(status)}`);
  }

  private urlAt({ server }: Caller): string {
    return this.urls[server === 0 ? 0 : 1];
  }
}

async function surroundingsOf(office: Office, url: string): Promise<Surroundings> {
  const [provider, issuers, pair] = await Promise.all([
    CompanyProvider.start([`${url}/oauth/callback/acme`]),
    TestIssuers.start(),
    generateKeyPair('ES256', { extractable: true }),
  ]);
  const publicKey = await exportJWK(pair.publicKey);
  const publicKeys = { keys: [{ ...publicKey, kid: 'one', alg: 'ES256' }] };
  const personRoleId = await makeRole(office, 'PERSON', [...personScopes, 'users:read']);
  const agentRoleId = await makeRole(office, 'AGENT', taskScopes);
  const [foreignRegion = '', ...regions] = [...new Set(office.data.customers.map(({ region }) => region))];
  const limits = { operations: 1_000_000, rows: 1_000_000_000, expirySeconds: 86_400, depth: linksMax };
  const boundary: StoredBoundary = { ...everywhere, person: [], region: regions };
  const providerRow = await office.company.do(async (unit) => {
    await unit.tx.update(roles, eq<RoleRow>('id', agentRoleId), { limits, boundary });
    const row = await addProvider(
      unit,
      {
        ...{ name: 'acme', label: 'Acme', issuer: provider.issuer, clientId: companyClientId },
        ...{ clientSecret: companySecret, scopes: ['profile', 'groups'], groupsClaim: 'groups' },
        ...{ userNameClaim: 'preferred_username', mayCreateUsers: true },
      },
      false,
    );
    const role = await unit.tx.byId(roles, personRoleId);
    if (role !== undefined) await mapGroup(unit, office.company.root.id, row, 'Care', role);
    return row;
  });
  return {
    ...{ office, provider, issuers, providerRow, agentRoleId, personRoleId, regions, foreignRegion },
    ...{ cluster: await issuers.add('cluster'), signingKey: pair.privateKey },
    ...{ publicKey, publicKeys: JSON.stringify(publicKeys) },
  };
}

/** To which of the two servers, and from which address: each address has its own count of refused requests. */
export interface Caller {
  readonly server: number;
  readonly address: string;
}

const headersOf = ({ address }: Caller): Record<string, string> => ({ 'x-forwarded-for': address });
