import { at } from './administration.js';
import type { Actor } from './chain-actors.js';
import type { Wish } from './chain-limits.js';
import type { Caller, TwoServers } from './two-servers.js';

const words = (values: readonly string[]): string => JSON.stringify(values);

/** A person of the company's provider, who signs in there, hands over tasks and takes them back. */
export class Person {
  private token: { readonly value: string; readonly until: number } | undefined;
  private knownId = '';

  constructor(
    private readonly two: TwoServers,
    /** Who they are at the provider. */
    readonly sub: string,
  ) {}

  /** The id of their account. They have signed in before. */
  get id(): string {
    return this.knownId;
  }

  /** Their own token, of a sign-in that has not ended. */
  async own(to: Caller): Promise<string> {
    if (this.token !== undefined && this.token.until > Date.now()) return this.token.value;
    const value = await this.two.signIn(this.sub, ['Care']);
    this.token = { value, until: Date.now() + 120_000 };
    if (this.knownId === '')
      this.knownId = at(
        await this.two.ask(to, value, '{ viewer { person { id } } }'),
        'viewer.person.id',
      ) as string;
    return value;
  }

  /** The name of their account. */
  async userName(to: Caller): Promise<string> {
    const answer = await this.two.ask(to, await this.own(to), '{ viewer { person { name } } }');
    return at(answer, 'viewer.person.name') as string;
  }

  /** Signs in anew next time. */
  signOut(): void {
    this.token = undefined;
  }

  async consent(to: Caller, { name }: Actor): Promise<string> {
    const input = `input: { agent: "${name}" }`;
    const answer = await this.two.mutate(to, await this.own(to), 'giveConsent', input, 'consent { id }');
    return at(answer, 'giveConsent.consent.id') as string;
  }

  async delegate(to: Caller, { name }: Actor, { scopes, regions, depth, seconds }: Wish): Promise<string> {
    const boundary = `boundary: [{ dimension: "region", values: ${words(regions)} }]`;
    const limits = `depth: ${String(depth)} expiresInSeconds: ${String(seconds)}`;
    const about = 'purpose: "A link of a chain" task: "ticket:T-1"';
    const input = `input: { agent: "${name}" scopes: ${words(scopes)} ${about} ${boundary} ${limits} }`;
    const answer = await this.two.mutate(to, await this.own(to), 'delegate', input, 'delegation { id }');
    return at(answer, 'delegate.delegation.id') as string;
  }

  /** Ends the sign-in of a token of their own, by that token. */
  async endSignIn(to: Caller, own: string): Promise<void> {
    const list = await this.two.ask(to, own, '{ signIns(first: 50) { nodes { id isCurrent } } }');
    const nodes = at(list, 'signIns.nodes') as readonly { id: string; isCurrent: boolean }[];
    const id = nodes.find(({ isCurrent }) => isCurrent)?.id ?? '';
    await this.two.mutate(to, own, 'endSignIn', `id: "${id}"`);
  }
}
