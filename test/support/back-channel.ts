import { eq } from '../../src/store/sql/condition.js';
import { backchannelRequests } from '../../src/store/tables/backchannel-requests.js';
import { oauthPayloads } from '../../src/store/tables/identity.js';
import { Browser, type Shown } from '../parts/oauth/browser.js';
import { signInAt, withPassword } from './account.js';
import type { Employee } from './administration.js';
import { about, details } from './asking-agents.js';
import type { Agent, Office, TokenAnswer } from './office.js';
import { password } from './passwords.js';

export const backchannelGrant = 'urn:openid:params:grant-type:ciba';
export const asked = { scope: 'openid tickets:read customers:read', authorization_details: details(about) };

/** Requests of agents to people who are elsewhere (OpenID CIBA), and the pages of these people. */
export class BackChannel {
  constructor(private readonly office: Office) {}

  begin(as: Agent, changes: Record<string, string> = {}): Promise<TokenAnswer> {
    const form = { ...asked, ...changes };
    return as.secret === ''
      ? this.office.post('/oauth/backchannel_authentication', { client_id: as.name, ...form })
      : this.office.post('/oauth/backchannel_authentication', form, as);
  }

  /** The `auth_req_id`. Throws where the request is refused. */
  async begun(as: Agent, loginHint: string, changes: Record<string, string> = {}): Promise<string> {
    const answer = await this.begin(as, { login_hint: loginHint, ...changes });
    return idIn(answer);
  }

  poll(as: Agent, authReqId: string): Promise<TokenAnswer> {
    return this.office.post('/oauth/token', { grant_type: backchannelGrant, auth_req_id: authReqId }, as);
  }

  /** The address that the newest request on a person's account page leads to. */
  async linkOf(who: Employee): Promise<string> {
    const link = linksOn(await signInAt(this.office, who, new Browser(this.office.server.url)))[0];
    if (link === undefined) throw new Error('No request waits.');
    return `${this.office.server.url}${link}`;
  }

  /** The page on which a person signs in for a request. */
  async signInFor(link: string, browser = new Browser(this.office.server.url)): Promise<[Browser, Shown]> {
    return [browser, await browser.submit(await browser.open(link), { confirm: 'yes' })];
  }

  /** The page on which a person decides, or what comes in its place. */
  async opened(link: string, who: Employee): Promise<[Browser, Shown]> {
    const [browser, form] = await this.signInFor(link);
    return [
      browser,
      await browser.submit(form, { username: await withPassword(this.office, who), password }),
    ];
  }

  async allow(who: Employee): Promise<Shown> {
    const [browser, page] = await this.opened(await this.linkOf(who), who);
    return browser.submit(page, {});
  }

  /** What is kept of requests. */
  async kept(): Promise<unknown> {
    const { read } = this.office.server.database;
    return [
      await read.count(backchannelRequests),
      await read.count(oauthPayloads, eq('model', 'DeviceCode')),
    ];
  }
}

export const linksOn = ({ html }: Shown): string[] =>
  [...html.matchAll(/href="(\/oauth\/device\?user_code=[^"]+)"/g)].map(([, link = '']) => link);

export function idIn({ status, body }: TokenAnswer): string {
  const { auth_req_id: id } = body as { readonly auth_req_id?: string };
  if (id === undefined) throw new Error(`refused: ${String(status)} ${JSON.stringify(body)}`);
  return id;
}
