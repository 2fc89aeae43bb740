import { randomUUID } from 'node:crypto';
import { addIssuer, mapAgent, removeIssuer } from '../../src/admin/token-issuers.js';
import { agents } from '../../src/store/tables/identity.js';
import type { TokenIssuerRow } from '../../src/store/tables/token-issuers.js';
import { at } from './administration.js';
import { basic, type Actor } from './chain-actors.js';
import { taskScopes } from './case.js';
import type { TestIssuer } from './token-issuers.js';
import type { TokenAnswer } from './office.js';
import type { Caller, TwoServers } from './two-servers.js';

/** Another server that takes tokens of this one. */
export class OtherServer {
  private id = '';
  private secret = '';

  constructor(
    private readonly two: TwoServers,
    private readonly name: string,
  ) {}

  get identifier(): string {
    return `https://${this.name}.example/mcp`;
  }

  async add(to: Caller): Promise<void> {
    const { name, identifier } = this;
    const input = `input: { name: "${name}" identifier: "${identifier}" scopes: ${JSON.stringify(taskScopes)} }`;
    const selection = 'resourceServer { id } secret';
    const root = await this.two.root();
    const answer = await this.two.mutate(to, root, 'addResourceServer', input, selection);
    this.id = at(answer, 'addResourceServer.resourceServer.id') as string;
    this.secret = at(answer, 'addResourceServer.secret') as string;
  }

  async remove(to: Caller): Promise<void> {
    await this.two.mutate(to, await this.two.root(), 'removeResourceServer', `id: "${this.id}"`);
  }

  introspect(to: Caller, token: string): Promise<TokenAnswer> {
    return this.two.post(to, '/oauth/introspect', { token }, basic(this.id, this.secret));
  }
}

/** A trusted issuer, which knows agents by their client ids. */
export class OtherIssuer {
  private entry: TokenIssuerRow | undefined;

  private constructor(
    private readonly two: TwoServers,
    private readonly name: string,
    private readonly issuer: TestIssuer,
    private readonly actors: readonly Actor[],
  ) {}

  static async trusted(two: TwoServers, name: string, actors: readonly Actor[]): Promise<OtherIssuer> {
    const other = new OtherIssuer(two, name, await two.known.issuers.add(name), actors);
    await other.trust();
    return other;
  }

  trust(): Promise<void> {
    const { company } = this.two.office;
    return company.do(async (unit) => {
      const entry = await addIssuer(
        unit,
        company.root.id,
        this.two.known.providerRow,
        {
          ...{ name: this.name, issuer: this.issuer.url, dialect: 'client-id', userClaim: null },
          ...{ audiences: [], tokenTypes: ['access_token', 'id-jag'], ageMaxSeconds: 600, actorsMax: 1 },
        },
        false,
      );
      for (const { agentId, name } of this.actors) {
        const agent = await unit.tx.byId(agents, agentId);
        if (agent !== undefined) await mapAgent(unit, company.root.id, entry, name, agent);
      }
      this.entry = entry;
    });
  }

  async remove(): Promise<void> {
    const { company } = this.two.office;
    const { entry } = this;
    if (entry !== undefined) await company.do((unit) => removeIssuer(unit, company.root.id, entry));
  }

  /** A token about the person, for the agent. */
  token(sub: string, { name }: Actor, typ: 'at+jwt' | 'oauth-id-jag+jwt'): Promise<string> {
    // Not in whole seconds: a token from before a sign-out is refused.
    const now = Date.now() / 1000;
    const claims = { iss: this.issuer.url, aud: this.two.url, sub, client_id: name };
    return this.issuer.sign({ ...claims, iat: now, exp: now + 300, jti: randomUUID() }, { typ });
  }
}
