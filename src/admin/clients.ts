import { isoTime, type Clock } from '../core/clock.js';
import { visibleLine } from '../core/checked-text.js';
import { canonicalJson } from '../core/digest.js';
import { badInput, conflict } from '../core/errors.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { eq } from '../store/sql/condition.js';
import { clients, type ClientRow } from '../store/tables/clients.js';
import { agents, roles, type AgentRow, type RoleRow } from '../store/tables/identity.js';
import { signIns, type SignInRow } from '../store/tables/sign-ins.js';
import { parseKeys } from './agent-keys.js';
import { byCertificate, createClientAgent, startAgent, stopAgent } from './agents.js';
import { isGiven, parseTokenBinding, type CertificateNameInput } from './certificates.js';
import { resourcesOf, scopesOf, type Surroundings } from './client-ceilings.js';
import { requireNoAgent, requirePlainClientId } from './client-ids.js';
import { waitEnd } from './client-registry.js';
import { assignAgentRole } from './assignments.js';
import { endBeyond, requireGrantableAgent } from './credentials.js';
import { requireGrantable } from './grantable-roles.js';
import { parseClientUris, parseNotificationEndpoint } from './redirect-uris.js';
import { endSignIn } from './sign-ins.js';
import { add, store, type UnitOfWork } from './unit-of-work.js';

/** The agent as which a client acts. */
export interface ClientAgent {
  readonly name: string;
  readonly displayName?: string | null | undefined;
  readonly businessTask: string;
  /** The user who answers for it. */
  readonly ownerId: string;
  readonly roles: readonly RoleRow[];
}

/** How a client is let in. */
export interface ClientTerms {
  /** Undefined: it is a person's own tool. */
  readonly agent?: ClientAgent | undefined;
  readonly scopes?: readonly string[] | null | undefined;
  readonly resources?: readonly string[] | null | undefined;
}

export interface NewClient extends ClientTerms {
  readonly clientId: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
  /** A JSON Web Key Set. A client without keys and certificates is public. */
  readonly publicKeys?: string | null | undefined;
  /** Certificates in PEM that it signed itself. */
  readonly certificates?: string | null | undefined;
  /** The name in certificates of an authority. */
  readonly certificateName?: CertificateNameInput | null | undefined;
  readonly tokenBinding?: string | null | undefined;
  /** Where it is told that a person has decided. Without it, it polls. */
  readonly notificationEndpoint?: string | null | undefined;
}

/** Registers a client by hand, and makes the agent as which it acts. */
export async function createClient(
  unit: UnitOfWork,
  by: string,
  input: NewClient,
  around: Surroundings,
): Promise<ClientRow> {
  const { clientId } = input;
  requirePlainClientId(clientId, 'clientId');
  const proof = authenticationOf(input, unit.clock);
  const client: ClientRow = {
    ...{ id: unit.ids.next(), clientId, name: visibleLine(input.name, 200, 'name') },
    ...{ registration: 'administrator', status: 'active', agentId: null, isOwnTool: false },
    ...proof,
    tokenBinding: parseTokenBinding(input.tokenBinding),
    redirectUris: urisOf(input.redirectUris),
    notificationEndpoint: endpointOf(input.notificationEndpoint, proof),
    ...(await letIn(unit, by, input, around)),
    ...{ changedTo: null, checkedAt: null, requestedAt: null, expiresAt: null },
    ...{ createdAt: isoTime(unit.clock.now()), version: 1 },
  };
  await add(unit, clients, client, 'There is a client with this id already.');
  await requireNoAgent(unit.tx, client);
  return client;
}

/** A client without keys and certificates is public. */
function authenticationOf(
  { publicKeys, certificates, certificateName }: NewClient,
  clock: Clock,
): Pick<ClientRow, 'authMethod' | 'jwks' | 'certificateName'> {
  const hasKeys = typeof publicKeys === 'string';
  const hasCertificate = isGiven(certificates) || isGiven(certificateName);
  if (hasKeys && hasCertificate)
    throw badInput('A client has either public keys or certificates.', 'certificates');
  if (hasCertificate) {
    const { workloads: _, ...credentials } = byCertificate(certificates, certificateName, clock);
    return credentials;
  }
  return hasKeys
    ? { authMethod: 'private_key_jwt', jwks: parseKeys(publicKeys), certificateName: null }
    : { authMethod: 'none', jwks: null, certificateName: null };
}

/** Lets a client in that nobody registered by hand, as it is at its version. */
export async function admitClient(
  unit: UnitOfWork,
  by: string,
  before: ClientRow,
  terms: ClientTerms,
  around: Surroundings,
): Promise<ClientRow> {
  if (before.status !== 'quarantined') throw conflict('This client does not wait for admission.');
  const entry = await letIn(unit, by, terms, around);
  return store(unit, clients, before, { ...entry, status: 'active', expiresAt: null });
}

/**
 * Takes over what a client's document says now. New keys or redirect URIs let somebody act by its roles, so `by` must be
 * allowed to let it in; with new keys, live delegations beyond the grantable set of `by` end.
 */
export async function acceptDocument(unit: UnitOfWork, by: string, before: ClientRow): Promise<ClientRow> {
  const { changedTo } = before;
  if (changedTo === null) throw conflict('The document of this client is what was admitted.');
  if (before.isOwnTool) await requireOwnTool(unit, by, before.scopes);
  const agent = await agentOf(unit, before);
  if (agent !== undefined) {
    await requireGrantableAgent(unit.tx, by, agent);
    const isOther = canonicalJson(changedTo.jwks) !== canonicalJson(before.jwks);
    if (isOther) await endBeyond(unit, by, agent);
  }
  await endTokens(unit, before);
  return store(unit, clients, before, { ...changedTo, changedTo: null });
}

/** The client becomes an agent of its own with roles that `by` may grant, or a person's own tool. */
async function letIn(
  unit: UnitOfWork,
  by: string,
  { agent, ...ceilings }: ClientTerms,
  around: Surroundings,
): Promise<Pick<ClientRow, 'agentId' | 'isOwnTool' | 'scopes' | 'resources'>> {
  const scopes = scopesOf(ceilings.scopes, around);
  const resources = await resourcesOf(unit.tx, ceilings.resources, around);
  if (agent === undefined) {
    await requireOwnTool(unit, by, scopes);
    return { agentId: null, isOwnTool: true, scopes, resources };
  }
  const { displayName, roles: wanted, ...known } = agent;
  const made = await createClientAgent(unit, { ...known, displayName: displayName ?? known.name });
  for (const role of wanted) await assignAgentRole(unit, by, made, role);
  return { agentId: made.id, isOwnTool: false, scopes, resources };
}

/**
 * A tool's tokens are sign-ins of whoever uses it. So its administrator must be allowed to grant each role for people that
 * has a scope within its ceiling.
 */
export async function requireOwnTool(
  { tx }: Pick<UnitOfWork, 'tx'>,
  by: string,
  ceiling: readonly string[] | null,
): Promise<void> {
  const ofPeople = await tx.select(roles, eq<RoleRow>('holder', 'person'));
  const within = ofPeople.filter(
    ({ scopes }) => ceiling === null || scopes.some((scope) => ceiling.includes(scope)),
  );
  await requireGrantable(tx, by, within);
}

/** Ends what the client holds: its agent's tokens, or the sign-ins with a person's own tool. */
export async function endTokens(
  unit: UnitOfWork,
  { agentId, isOwnTool, clientId }: ClientRow,
): Promise<void> {
  const { tx } = unit;
  const agent = await agentOf(unit, { agentId });
  if (agent !== undefined) await store(unit, agents, agent, { tokenGeneration: agent.tokenGeneration + 1 });
  if (isOwnTool) {
    for (const signIn of await tx.select(signIns, eq<SignInRow>('clientId', clientId)))
      await endSignIn(unit, signIn);
  }
  await bumpEpoch(tx);
}

/** Its tokens end for good, and so do those of its agent, which is stopped with it. A client in quarantine stays out. */
export async function stopClient(unit: UnitOfWork, before: ClientRow): Promise<void> {
  if (before.status === 'stopped') return;
  await store(unit, clients, before, { status: 'stopped', expiresAt: null });
  await endTokens(unit, before);
  const agent = await agentOf(unit, before);
  if (agent !== undefined) await stopAgent(unit, agent);
}

/** Starts a stopped client again. One that was never admitted waits again. `by` must be allowed to admit it. */
export async function startClient(unit: UnitOfWork, by: string, before: ClientRow): Promise<void> {
  if (before.status !== 'stopped') return;
  const agent = await agentOf(unit, before);
  if (before.isOwnTool) await requireOwnTool(unit, by, before.scopes);
  if (agent !== undefined) await startAgent(unit, by, agent);
  const isAdmitted = before.isOwnTool || agent !== undefined;
  await store(
    unit,
    clients,
    before,
    isAdmitted ? { status: 'active' } : { status: 'quarantined', expiresAt: waitEnd(unit.clock) },
  );
}

export const agentOf = async (
  { tx }: Pick<UnitOfWork, 'tx'>,
  { agentId }: Pick<ClientRow, 'agentId'>,
): Promise<AgentRow | undefined> =>
  agentId === null ? undefined : tx.one(agents, eq<AgentRow>('id', agentId), { lock: 'update' });

export function urisOf(given: readonly string[]): readonly string[] {
  const uris = parseClientUris(given);
  if (uris.length === 0) throw badInput('A client has at least one redirect URI.', 'redirectUris');
  return uris;
}

/** Only a client that proves who it is may ask people by the back channel. */
export function endpointOf(
  given: string | null | undefined,
  { authMethod }: Pick<ClientRow, 'authMethod'>,
): string | null {
  if (given === null || given === undefined) return null;
  if (authMethod === 'none')
    throw badInput('A public client cannot ask by the back channel: give it keys.', 'notificationEndpoint');
  return parseNotificationEndpoint(given);
}
