import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { createAgent } from '../../src/admin/agents.js';
import { giveAgentRole } from '../../src/admin/assignments.js';
import { createClient } from '../../src/admin/clients.js';
import { roles } from '../../src/store/tables/identity.js';
import { callback } from './asking-agents.js';
import { at } from './administration.js';
import type { Caller, TwoServers } from './two-servers.js';
import { secretsAllowed } from './secrets-allowed.js';

/** How a client proves who it is. Those with `client` in their name are registered clients, which act as agents. */
export const actorKinds = ['secret', 'workload', 'public client', 'client with a key'] as const;
export type ActorKind = (typeof actorKinds)[number];

/** A client with a proof may use the grants that rest on it alone. */
export const provenKinds = ['secret', 'workload', 'client with a key'] as const satisfies ActorKind[];

/** What a client sends beside the form of its request. */
export interface ClientProof {
  readonly authorization?: string;
  readonly dpop?: string;
  readonly form: Readonly<Record<string, string>>;
}

export const basic = (name: string, secret: string): ClientProof => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
  form: {},
});

const byAssertion = (clientId: string, assertion: string): ClientProof => ({
  form: {
    client_id: clientId,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  },
});

/** An agent, or a client that acts as one, with credentials of one kind. Its name is its client id. */
export class Actor {
  private constructor(
    private readonly two: TwoServers,
    readonly kind: ActorKind,
    readonly name: string,
    readonly agentId: string,
    /** The row of a registered client. */
    readonly clientRowId: string | undefined,
    private secret: string,
  ) {}

  static async make(two: TwoServers, name: string, kind: ActorKind): Promise<Actor> {
    const { company } = two.office;
    const about = { name, displayName: name, businessTask: 'A link of a chain', ownerId: company.root.id };
    return company.do(async (unit) => {
      const role = await unit.tx.byId(roles, two.known.agentRoleId);
      if (role === undefined) throw new Error('There is no role.');
      if (kind === 'public client' || kind === 'client with a key') {
        const input = {
          ...{ clientId: name, name, redirectUris: [callback], agent: { ...about, roles: [role] } },
          publicKeys: kind === 'public client' ? null : two.known.publicKeys,
        };
        const client = await createClient(unit, company.root.id, input, company.around);
        return new Actor(two, kind, name, client.agentId ?? '', client.id, '');
      }
      const workloads = kind === 'workload' ? [two.workload(name)] : null;
      const input = { ...about, redirectUris: [callback], workloads };
      const { agent, secret } = await createAgent(unit, input, secretsAllowed);
      await giveAgentRole(unit, agent, role, null);
      return new Actor(two, kind, name, agent.id, undefined, secret ?? '');
    });
  }

  /** @param isBound whether the token is to be bound to a key (RFC 9449) */
  async tokenProof(isBound: boolean): Promise<ClientProof> {
    const proof = await this.proof();
    return isBound ? { ...proof, dpop: await this.two.dpopProof('/oauth/token') } : proof;
  }

  async proof(): Promise<ClientProof> {
    const now = Math.floor(Date.now() / 1000);
    const once = { aud: this.two.url, iat: now, exp: now + 60, jti: randomUUID() };
    switch (this.kind) {
      case 'secret':
        return basic(this.name, this.secret);
      case 'public client':
        return { form: { client_id: this.name } };
      case 'workload': {
        const { issuer: iss, subject: sub } = this.two.workload(this.name);
        return byAssertion(this.name, await this.two.cluster.sign({ ...once, iss, sub }));
      }
      case 'client with a key': {
        const jwt = new SignJWT({ ...once, iss: this.name, sub: this.name });
        const signed = await jwt
          .setProtectedHeader({ alg: 'ES256', kid: 'one' })
          .sign(this.two.known.signingKey);
        return byAssertion(this.name, signed);
      }
    }
  }

  /** Ends its secret, or its workload, with all its tokens. It has a new secret then. */
  async takeCredentials(to: Caller): Promise<void> {
    const args = `id: "${this.agentId}" overlapSeconds: 0`;
    const answer = await this.two.mutate(to, await this.two.root(), 'rotateAgentSecret', args, 'secret');
    this.secret = at(answer, 'rotateAgentSecret.secret') as string;
  }

  /** Binds the workload again. */
  async bindWorkload(to: Caller): Promise<void> {
    const { issuer, subject } = this.two.workload(this.name);
    const workloads = `[{ issuer: "${issuer}", subject: "${subject}" }]`;
    const args = `id: "${this.agentId}" workloads: ${workloads}`;
    await this.two.mutate(to, await this.two.root(), 'setAgentWorkloads', args);
  }

  /** Gives a registered client this ceiling of scopes. */
  async setCeiling(to: Caller, scopes: readonly string[] | null): Promise<void> {
    const id = this.clientRowId ?? '';
    const root = await this.two.root();
    const row = await this.two.ask(to, root, `{ client(id: "${id}") { version } }`);
    const version = String(at(row, 'client.version'));
    const input = `input: { scopes: ${JSON.stringify(scopes)} }`;
    await this.two.mutate(to, root, 'updateClient', `id: "${id}" ${input} expectedVersion: ${version}`);
  }
}
