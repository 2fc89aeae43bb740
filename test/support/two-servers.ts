import { addProvider } from '../../src/admin/identity-providers.js';
import { mapGroup } from '../../src/admin/provided-roles.js';
import { eq } from '../../src/store/sql/condition.js';
import { roles, type RoleRow } from '../../src/store/tables/identity.js';
import { key } from './administration.js';
import { makeRole, personScopes, taskScopes } from './case.js';
import { companyClientId, CompanyProvider, companySecret } from './company-provider.js';
import { heldPort } from './free-port.js';
import { Office, type Agent, type TokenAnswer } from './office.js';
import { ProviderJourney } from './provider-journey.js';
import { ServerProcess } from './server-process.js';
import { postGraphQL, type Answer } from './server.js';

export const linksMax = 6;
const triesMax = 20;

/** Two server processes over one database, behind one public address, and the company's provider. */
export class TwoServers {
  private signingIn: Promise<unknown> = Promise.resolve();
  private rootToken: { readonly value: string; readonly until: number } | undefined;

  private constructor(
    readonly office: Office,
    private readonly provider: CompanyProvider,
    private readonly servers: readonly [ServerProcess, ServerProcess],
    readonly agentRoleId: string,
    readonly personRoleId: string,
  ) {}

  static async start(): Promise<TwoServers> {
    const held = await heldPort();
    const port = String(held.port);
    const url = `http://127.0.0.1:${port}`;
    const office = await Office.start({}, { BEHALF_PUBLIC_URL: url });
    const provider = await CompanyProvider.start([`${url}/oauth/callback/acme`]);
    const personRoleId = await makeRole(office, 'PERSON', personScopes);
    const agentRoleId = await makeRole(office, 'AGENT', taskScopes);
    const limits = { operations: 1_000_000, rows: 1_000_000_000, expirySeconds: 86_400, depth: linksMax };
    await office.company.do(async (unit) => {
      await unit.tx.update(roles, eq<RoleRow>('id', agentRoleId), { limits });
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
    });
    const { databaseUrl } = office.server;
    const settings = { BEHALF_PUBLIC_URL: url, BEHALF_TRUSTED_PROXIES: '1' };
    await held.release();
    const servers = await Promise.all([
      ServerProcess.start(databaseUrl, { ...settings, PORT: port }),
      ServerProcess.start(databaseUrl, settings),
    ]);
    return new TwoServers(office, provider, servers, agentRoleId, personRoleId);
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.provider.stop();
    await this.office.server.stop();
  }

  /** Asks again where rights of others changed several times meanwhile, as the answer says. */
  async ask(to: Caller, token: string, query: string): Promise<Answer> {
    const body = JSON.stringify({ query });
    for (let tries = 1; ; tries += 1) {
      const answer = await postGraphQL(this.url(to), token, body, headersOf(to));
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
  ): Promise<Answer> {
    const mutation = `mutation { ${field}(${args} idempotencyKey: "${key()}") { ${selection} } }`;
    const answer = await this.ask(to, token, mutation);
    if (answer.errors.length > 0) throw new Error(`${field}: ${JSON.stringify(answer.errors)}`);
    return answer;
  }

  async post(to: Caller, path: string, form: Record<string, string>, as?: Agent): Promise<TokenAnswer> {
    const basic = as === undefined ? '' : Buffer.from(`${as.name}:${as.secret}`).toString('base64');
    const response = await fetch(`${this.url(to)}${path}`, {
      method: 'POST',
      headers: { ...headersOf(to), ...(as === undefined ? {} : { authorization: `Basic ${basic}` }) },
      body: new URLSearchParams(form),
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

  /** Signs a person in with the provider, one after another: it knows by its own state who signs in. */
  signIn(sub: string, groups: readonly string[]): Promise<string> {
    const next = this.signingIn.then(async () => {
      this.provider.signedIn = { sub, groups, preferred_username: sub };
      const journey = await ProviderJourney.begin(this.servers[0].url, 'acme', this.provider);
      return (await journey.flow.redeem(await journey.arrive())).access_token;
    });
    this.signingIn = next.catch(() => undefined);
    return next;
  }

  /** Back-channel logout: the provider says that the person's session there has ended. */
  async logOut(to: Caller, sub: string): Promise<void> {
    const now = Math.floor(Date.now() / 1000);
    const { issuer } = this.provider;
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const claims = { iss: issuer, aud: companyClientId, iat: now, exp: now + 120, jti: key(), sub, events };
    const token = await this.provider.sign(claims, { typ: 'logout+jwt' });
    const { status } = await this.post(to, '/oauth/backchannel_logout', { logout_token: token });
    if (status !== 200) throw new Error(`back-channel logout: ${String(status)}`);
  }

  private url({ server }: Caller): string {
    return this.servers[server === 0 ? 0 : 1].url;
  }
}

/** To which of the two servers, and from which address: each address has its own count of refused requests. */
export interface Caller {
  readonly server: number;
  readonly address: string;
}

const headersOf = ({ address }: Caller): Record<string, string> => ({ 'x-forwarded-for': address });
