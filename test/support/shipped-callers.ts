import { registerDocuments } from '../../src/admin/trusted-documents.js';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import { isoTime } from '../../src/core/clock.js';
import { sha256Hex } from '../../src/core/digest.js';
import { agents, consents, oauthPayloads, type AgentRow } from '../../src/store/tables/identity.js';
import { addClientRule } from '../../src/admin/client-rules.js';
import { createClient } from '../../src/admin/clients.js';
import { eq } from '../../src/store/sql/condition.js';
import { clientRequests, clients, type ClientRow } from '../../src/store/tables/clients.js';
import { addProvider } from '../../src/admin/identity-providers.js';
import { addResourceServer } from '../../src/admin/resource-servers.js';
import { mapGroup } from '../../src/admin/provided-roles.js';
import { passkeys, type PasskeyRow } from '../../src/store/tables/passkeys.js';
import { signIns, type SignInRow } from '../../src/store/tables/sign-ins.js';
import { Company, catalog, key, rules } from './administration.js';
import { idsOf, loadBusiness, loadDocuments, smallBusiness } from './demo-rows.js';
import { everywhere, type PersonFixture } from './server.js';

/** The holder of one shipped role and nothing else: a person, or an agent for a person who holds everything. */
export interface Caller {
  readonly role: string;
  readonly holder: 'agent' | 'person';
  readonly token: string;
}

/** A company with some rows of everything, and a caller for each shipped role. */
export class ShippedCallers {
  private constructor(
    readonly company: Company,
    readonly callers: readonly Caller[],
    /** Arguments by coordinate: ids and numbers of existing rows. */
    readonly values: Readonly<Record<string, string>>,
  ) {}

  static async start(): Promise<ShippedCallers> {
    const company = await Company.start();
    const { server } = company;
    const data = smallBusiness();
    await loadBusiness(server.database, data);
    await loadDocuments(server.database, server.ids);
    const everyone = await server.person({
      scopes: [...catalog.definitions.keys()],
      boundary: { ...everywhere, person: 'all' },
    });
    const trusted = { name: 'Guides', source: '{ collections { totalCount } }' };
    await company.do((unit) => registerDocuments(unit, rules, everyone.id, [trusted]));
    await trustProvider(company);
    await company.do((unit) =>
      addResourceServer(
        unit,
        { name: 'mcp', identifier: 'https://mcp.example', scopes: ['tickets:read'] },
        {
          publicUrl: company.server.publicUrl,
          allowHttp: false,
          staticSecrets: true,
          knownScopes: new Set(['tickets:read']),
        },
      ),
    );
    const client = await registerClient(company);
    const waiting = await waitingClient(company, client);
    const callers: Caller[] = [];
    for (const { name, holder, scopes } of shippedRoles) {
      const token =
        holder === 'person'
          ? await personWith(company, name)
          : await agentFor(company, everyone, name, scopes);
      callers.push({ role: name, holder, token });
    }
    return new ShippedCallers(company, callers, {
      ...idsOf(data),
      'Query.collection(key:)': 'guides',
      'Query.trustedDocument(name:)': trusted.name,
      'Query.trustedDocumentByHash(hash:)': sha256Hex(trusted.source),
      'Query.search(query:)': 'coffee',
      'Query.user(id:)': everyone.id,
      'Query.client(id:)': client,
      'Query.waitingClient(id:)': waiting,
      'Query.schema(agent:)': (await company.agent('seen-by-others', everyone, 'support-agent')).id,
    });
  }

  stop(): Promise<void> {
    return this.company.server.stop();
  }
}

/** A person who has signed in, handed over a task and given a consent, and whose agent has been refused something. */
async function personWith(company: Company, role: string): Promise<string> {
  const { server } = company;
  const { id, token } = await company.employee(`${role}-only`, role);
  const agent = await server.agent(
    { id, name: role, token },
    { scopes: ['customers:read', 'products:read'] },
    { scopes: ['customers:read'] },
  );
  await company.ask(agent, '{ products { totalCount } }');
  const createdAt = isoTime(server.clock.now());
  const consent = {
    ...{ id: server.ids.next(), userId: id, agentId: agent.id, roleId: agent.roleId, createdAt },
    expiresAt: isoTime(server.clock.now() + 3_600_000),
  };
  await server.database.transaction(async (tx) => {
    await tx.insert(consents, [
      { ...consent, scopes: ['products:read'], boundary: everywhere, revokedAt: null },
    ]);
    const request = { id: server.ids.next(), userId: id, clientId: 'waiting', name: 'Assistant' };
    await tx.insert(clientRequests, [{ ...request, createdAt, version: 1 }]);
    await tx.insert(passkeys, [passkeyOf(id, server.ids.next(), createdAt)]);
    const signIn = signInOf(id, server.ids.next(), createdAt, consent.expiresAt);
    await tx.insert(signIns, [signIn]);
    const grant = {
      model: 'Grant',
      id: signIn.grantId,
      accountId: id,
      payload: '{}',
      expiresAt: consent.expiresAt,
    };
    await tx.insert(oauthPayloads, [
      { ...grant, grantId: signIn.grantId, uid: null, userCode: null, consumedAt: null },
    ]);
  });
  return token;
}

/** A client that acts as an agent of its own, which has a workload too, and a rule; returns the client's row id. */
async function registerClient(company: Company): Promise<string> {
  const role = await company.role('support-agent');
  const agent = { name: 'desk', businessTask: 'Answer tickets', ownerId: company.root.id, roles: [role] };
  const input = { clientId: 'desk', name: 'Desk', redirectUris: ['https://desk.example/'], agent };
  const ceilings = { scopes: ['tickets:read'], resources: [`${company.server.url}/graphql`] };
  return company.do(async (unit) => {
    const owner = { id: company.root.id, status: 'active' };
    const rule = { host: 'clients.example', role, scopes: ['tickets:read'], owner };
    await addClientRule(unit, company.root.id, rule);
    const { id } = await createClient(unit, company.root.id, { ...input, ...ceilings }, company.around);
    const times = {
      requestedAt: isoTime(unit.clock.now()),
      expiresAt: isoTime(unit.clock.now() + 3_600_000),
    };
    const changedTo = {
      ...{ name: 'Desk 2', authMethod: 'none', jwks: null, redirectUris: input.redirectUris },
      tokenBinding: 'any',
    };
    const certificateName = { kind: 'san_dns', value: 'desk.example' } as const;
    await unit.tx.update(clients, eq<ClientRow>('id', id), { ...times, changedTo, certificateName });
    const workload = { issuer: 'https://ci.example', subject: 'job', keysUri: 'https://ci.example/keys' };
    const workloads = [{ ...workload, claims: { ref: 'main' }, reusable: false }];
    await unit.tx.update(agents, eq<AgentRow>('name', 'desk'), { workloads, certificateName });
    return id;
  });
}

/** A client that nobody has admitted; returns its row id. */
async function waitingClient(company: Company, like: string): Promise<string> {
  const row = await company.server.database.read.byId(clients, like);
  if (row === undefined) throw new Error('There is no client.');
  const [id, clientId] = [company.server.ids.next(), 'waiting'];
  const waits = { id, clientId, status: 'quarantined', registration: 'dynamic', agentId: null };
  await company.do(({ tx }) => tx.insert(clients, [{ ...row, ...waits, changedTo: null }]));
  return id;
}

/** An identity provider with a group that gives a role. */
async function trustProvider(company: Company): Promise<void> {
  const role = await company.role('support-rep');
  await company.do(async (unit) => {
    const provider = await addProvider(
      unit,
      {
        ...{ name: 'acme', label: 'Acme', issuer: 'https://login.example', clientId: 'behalf' },
        ...{ clientSecret: 'secret', scopes: [], groupsClaim: 'groups', userNameClaim: 'sub' },
        mayCreateUsers: false,
      },
      false,
    );
    await mapGroup(unit, company.root.id, provider, 'Care', role);
  });
}

const passkeyOf = (userId: string, id: string, createdAt: string): PasskeyRow => ({
  ...{ id, userId, name: 'Laptop', credentialDigest: id, credentialId: id, publicKey: 'none', signCount: 0 },
  ...{ transports: [], createdAt, lastUsedAt: null, version: 1 },
});

const signInOf = (userId: string, id: string, createdAt: string, expiresAt: string): SignInRow => ({
  ...{ id, userId, grantId: id, clientId: 'behalf-cli', program: 'Command line', method: 'password' },
  ...{ providerId: null, provider: null, providerSession: null, address: '192.0.2.1', userAgent: null },
  ...{ createdAt, lastUsedAt: createdAt, expiresAt },
});

/** A full delegation of one of an agent's roles, made by its person. */
async function agentFor(
  company: Company,
  person: PersonFixture,
  role: string,
  scopes: readonly string[],
): Promise<string> {
  const agent = await company.agent(`${role}-only`, person, role);
  const input = { agent: agent.name, role, purpose: 'A test.', task: 'test:1', scopes };
  const { data, errors } = await company.ask(
    person,
    'mutation ($input: DelegateInput!, $key: String!) { delegate(input: $input, idempotencyKey: $key) { delegation { id } } }',
    { input, key: key() },
  );
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return company.server.token(person.id, String(data.delegate.delegation.id), scopes);
}
