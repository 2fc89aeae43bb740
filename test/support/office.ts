import type { TokenEndpointResponse } from 'oauth4webapi';
import { giveAgentRole } from '../../src/admin/assignments.js';
import { createAgent } from '../../src/admin/agents.js';
import type { AppParts } from '../../src/app.js';
import type { BusinessData } from '../../src/demo/generate-business.js';
import { eq } from '../../src/store/sql/condition.js';
import { users } from '../../src/store/tables/identity.js';
import { tokensOf } from '../parts/oauth/browser.js';
import { at, Company, key, type Employee } from './administration.js';
import { loadBusiness, smallBusiness } from './demo-rows.js';
import { password, passwordHash } from './passwords.js';
import type { Answer } from './server.js';
import { secretsAllowed } from './secrets-allowed.js';

export interface Agent {
  readonly id: string;
  readonly name: string;
  readonly secret: string;
}

/** The answer of the token endpoint. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: {
    readonly access_token?: string;
    readonly token_type?: string;
    readonly refresh_token?: string;
    readonly scope?: string;
    readonly expires_in?: number;
    readonly authorization_details?: readonly { readonly delegation?: string }[];
    readonly error?: string;
    readonly error_description?: string;
  };
}

export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** A company at work: customers and their tickets, people who hand over tasks, agents that get real tokens. */
export class Office {
  private constructor(
    readonly company: Company,
    readonly data: BusinessData,
  ) {}

  static async start(parts: AppParts = {}, env: Record<string, string> = {}): Promise<Office> {
    const company = await Company.start(parts, env);
    const data = smallBusiness();
    await loadBusiness(company.server.database, data);
    return new Office(company, data);
  }

  get server(): Company['server'] {
    return this.company.server;
  }

  /** The id of an open ticket. */
  get ticketId(): string {
    const ticket = this.data.tickets.find(({ status }) => status === 'open');
    if (ticket === undefined) throw new Error('no open ticket');
    return ticket.id;
  }

  async agent(name: string, owner: Employee, ...roleNames: string[]): Promise<Agent> {
    return this.company.do(async (unit) => {
      const of = { displayName: `Agent ${name}`, businessTask: 'a task of a test', ownerId: owner.id };
      const { agent, secret } = await createAgent(unit, { name, ...of }, secretsAllowed);
      for (const role of roleNames) await giveAgentRole(unit, agent, await this.company.role(role), null);
      return { id: agent.id, name, secret: secret ?? '' };
    });
  }

  /** Signs a person in through the browser's pages; returns the tokens of the command line's program. */
  async signIn(who: Employee, scope?: string): Promise<TokenEndpointResponse> {
    const row = await this.server.database.read.byId(users, who.id);
    const changes = { passwordHash, mustChangePassword: false };
    await this.company.do(({ tx }) => tx.update(users, eq('id', who.id), changes));
    const parameters: Record<string, string> = scope === undefined ? {} : { scope };
    return tokensOf({ issuer: this.server.url }, row?.name ?? '', password, parameters);
  }

  /** Hands an agent a task by the mutation; returns the delegation's id. */
  async delegate(who: { token: string }, input: Record<string, unknown>): Promise<string> {
    const answer = await this.company.ask(
      who,
      'mutation ($input: DelegateInput!, $key: String!) { delegate(input: $input, idempotencyKey: $key) { delegation { id } } }',
      { input: { purpose: 'Answer the ticket', task: 'ticket:T-1', ...input }, key: key() },
    );
    if (answer.errors.length > 0) throw new Error(JSON.stringify(answer.errors));
    return at(answer, 'delegate.delegation.id') as string;
  }

  /** A mutation of one field; `args` is GraphQL text, and the key is added. */
  change(who: { token: string }, field: string, args = '', selection = '__typename'): Promise<Answer> {
    return this.company.ask(
      who,
      `mutation { ${field}(${args} idempotencyKey: "${key()}") { ${selection} } }`,
    );
  }

  /** As `change`; throws where the mutation fails. */
  async done(who: { token: string }, field: string, args = ''): Promise<void> {
    const { errors } = await this.change(who, field, args);
    if (errors.length > 0) throw new Error(`${field}: ${JSON.stringify(errors)}`);
  }

  /** Sends a form to an endpoint of the authorization server; the agent signs in by HTTP Basic. */
  async post(
    path: string,
    form: Record<string, string>,
    as?: { name: string; secret: string },
  ): Promise<TokenAnswer> {
    const credentials = as === undefined ? '' : Buffer.from(`${as.name}:${as.secret}`).toString('base64');
    const response = await fetch(`${this.server.url}${path}`, {
      method: 'POST',
      headers: as === undefined ? {} : { authorization: `Basic ${credentials}` },
      body: new URLSearchParams(form),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as TokenAnswer['body']) };
  }

  requestToken(agent: Agent, delegation: string, form: Record<string, string> = {}): Promise<TokenAnswer> {
    const details = JSON.stringify([{ type: 'behalf_delegation', delegation }]);
    const asked = { grant_type: 'client_credentials', authorization_details: details, ...form };
    return this.post('/oauth/token', asked, agent);
  }

  /** A token by client credentials; throws where it is refused. */
  async tokenOf(agent: Agent, delegation: string, form: Record<string, string> = {}): Promise<string> {
    return given(await this.requestToken(agent, delegation, form));
  }

  /** Token exchange (RFC 8693); `task` goes into `authorization_details`. */
  exchange(
    agent: Agent,
    subject: string,
    task: object = {},
    form: Record<string, string> = {},
  ): Promise<TokenAnswer> {
    const details = JSON.stringify([{ type: 'behalf_delegation', ...task }]);
    const asked = {
      subject_token: subject,
      subject_token_type: accessTokenType,
      authorization_details: details,
    };
    return this.post('/oauth/token', { grant_type: tokenExchange, ...asked, ...form }, agent);
  }
}

export function given({ status, body }: TokenAnswer): string {
  if (body.access_token === undefined) throw new Error(`no token: ${String(status)} ${JSON.stringify(body)}`);
  return body.access_token;
}
