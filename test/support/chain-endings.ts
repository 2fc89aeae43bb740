import { at } from './administration.js';
import { accessTokenType, given, type Agent } from './office.js';
import { type Caller, type TwoServers } from './two-servers.js';

const ofAll = [
  'session',
  'group',
  'account',
  'consent',
  'tokens of the person',
  'role of the person',
] as const;
const ofOne = ['delegation', 'task', 'agent', 'role of the agent', 'token'] as const;
export const endings = { ofAll, ofOne };
export type Ending = (typeof ofAll | typeof ofOne)[number];

const isOfAll = (ending: Ending): boolean => (ofAll as readonly string[]).includes(ending);

/** Whether the ending at one link ends another. */
export function endsLink(ending: Ending, ended: number, link: number): boolean {
  if (isOfAll(ending)) return true;
  return ending === 'token' ? link === ended : link >= ended;
}

interface Link {
  readonly agent: Agent;
  readonly delegationId: string;
  readonly token: string;
}

export interface Chain {
  readonly consentId: string;
  readonly links: readonly Link[];
}

/** A person of the provider, who consents and takes back. */
export class Person {
  private token: { readonly value: string; readonly until: number } | undefined;
  private id = '';

  constructor(
    private readonly two: TwoServers,
    private readonly sub: string,
  ) {}

  /** Consents to the first agent; then each agent exchanges the token of the one before it. */
  async chain(agents: readonly Agent[], caller: (turn: number) => Caller): Promise<Chain> {
    const person = await this.own(caller(0));
    const input = `input: { agent: "${agents[0]?.name ?? ''}" }`;
    const consent = await this.two.mutate(caller(0), person, 'giveConsent', input, 'consent { id }');
    const links: Link[] = [];
    let subject = person;
    for (const [turn, agent] of agents.entries()) {
      const task = { type: 'behalf_delegation', task: 'ticket:T-1', purpose: 'A link of a chain' };
      const form = {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: subject,
        subject_token_type: accessTokenType,
        authorization_details: JSON.stringify([task]),
      };
      const answer = await this.two.post(caller(turn), '/oauth/token', form, agent);
      subject = given(answer);
      const { authorization_details: details } = answer.body as {
        authorization_details?: { delegation: string }[];
      };
      links.push({ agent, delegationId: details?.[0]?.delegation ?? '', token: subject });
    }
    return { consentId: at(consent, 'giveConsent.consent.id') as string, links };
  }

  /** Resolves when the ending has committed. */
  async end(to: Caller, ending: Ending, { links, consentId }: Chain, which: number): Promise<void> {
    const { two } = this;
    const link = links[which];
    if (link === undefined) throw new Error('There is no such link.');
    const root = await two.root();
    const agent = `"${link.agent.id}"`;
    const ways: Record<Ending, () => Promise<unknown>> = {
      session: () => two.logOut(to, this.sub),
      group: () => two.signIn(this.sub, []),
      account: () => two.mutate(to, root, 'disableUser', `id: "${this.id}"`),
      consent: async () => two.mutate(to, await this.own(to), 'withdrawConsent', `id: "${consentId}"`),
      'tokens of the person': () => two.mutate(to, root, 'revokeTokens', `id: "${this.id}"`),
      'role of the person': () =>
        two.mutate(to, root, 'unassignRole', `userId: "${this.id}" roleId: "${two.personRoleId}"`),
      delegation: async () =>
        two.mutate(to, await this.own(to), 'revokeDelegation', `id: "${link.delegationId}"`),
      task: () => two.mutate(to, link.token, 'completeTask'),
      agent: () => two.mutate(to, root, 'stopAgent', `id: ${agent}`),
      'role of the agent': () =>
        two.mutate(to, root, 'unassignAgentRole', `agentId: ${agent} roleId: "${two.agentRoleId}"`),
      token: () => two.post(to, '/oauth/revoke', { token: link.token }, link.agent),
    };
    await ways[ending]();
  }

  /** Lets the person and the agent begin another chain. What has ended stays ended. */
  async restore(to: Caller, ending: Ending, agentId: string): Promise<void> {
    const { two } = this;
    const root = await two.root();
    if (ending === 'account') await two.mutate(to, root, 'enableUser', `id: "${this.id}"`);
    if (ending === 'agent') await two.mutate(to, root, 'startAgent', `id: "${agentId}"`);
    if (ending === 'role of the agent')
      await two.mutate(to, root, 'assignAgentRole', `agentId: "${agentId}" roleId: "${two.agentRoleId}"`);
    if (isOfAll(ending) && ending !== 'consent') this.token = undefined;
  }

  /** The person's own token, of a sign-in that has not ended. */
  private async own(to: Caller): Promise<string> {
    if (this.token !== undefined && this.token.until > Date.now()) return this.token.value;
    const value = await this.two.signIn(this.sub, ['Care']);
    this.token = { value, until: Date.now() + 200_000 };
    if (this.id === '')
      this.id = at(
        await this.two.ask(to, value, '{ viewer { person { id } } }'),
        'viewer.person.id',
      ) as string;
    return value;
  }
}
