import { hashClientSecret, newClientSecret } from '../core/client-secrets.js';
import { isoTime, type Clock } from '../core/clock.js';
import { badInput, conflict, notFound } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { visibleLine } from '../core/checked-text.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import { all, any, compare, eq, isNull } from '../store/sql/condition.js';
import { agents, agentSecrets, users, type AgentRow, type AgentSecretRow } from '../store/tables/identity.js';
import { requireNoClient, requirePlainClientId } from './client-ids.js';
import { endBeyond, requireGrantableAgent, type Beyond } from './credentials.js';
import { parseKeys } from './agent-keys.js';
import {
  isGiven,
  parseCertificateName,
  parseCertificates,
  parseTokenBinding,
  type CertificateNameInput,
} from './certificates.js';
import { parseWorkloads, type NewWorkload } from './agent-workloads.js';
import { parseRedirectUris } from './redirect-uris.js';
import { add, store, type UnitOfWork } from './unit-of-work.js';

export interface NewAgent {
  readonly name: string;
  readonly displayName: string;
  readonly businessTask: string;
  /** The user who answers for the agent. */
  readonly ownerId: string;
  /** A JSON Web Key Set. An agent with keys has no secret. */
  readonly publicKeys?: string | null | undefined;
  /** An agent with workloads has no secret either. */
  readonly workloads?: readonly NewWorkload[] | null | undefined;
  readonly redirectUris?: readonly string[] | null | undefined;
  /** Certificates in PEM that it signed itself. */
  readonly certificates?: string | null | undefined;
  /** The name in certificates of an authority. */
  readonly certificateName?: CertificateNameInput | null | undefined;
  readonly tokenBinding?: string | null | undefined;
}

export interface AgentChanges {
  readonly tokenBinding?: string | null | undefined;
  readonly displayName?: string | null | undefined;
  readonly businessTask?: string | null | undefined;
  readonly ownerId?: string | null | undefined;
  readonly redirectUris?: readonly string[] | null | undefined;
}

/** How an agent proves who it is. */
export type Credentials = Pick<AgentRow, 'authMethod' | 'jwks' | 'workloads' | 'certificateName'>;

const none: Omit<Credentials, 'authMethod'> = { jwks: null, workloads: null, certificateName: null };
const bySecret: Credentials = { ...none, authMethod: 'client_secret_basic' };

/** @param publicKeys a JSON Web Key Set */
export const byKeys = (publicKeys: string): Credentials => ({
  ...none,
  authMethod: 'private_key_jwt',
  jwks: parseKeys(publicKeys),
});

export const byWorkloads = (workloads: readonly NewWorkload[], allowHttp: boolean): Credentials => ({
  ...none,
  authMethod: 'workload_jwt',
  workloads: parseWorkloads(workloads, allowHttp),
});

/** Either certificates that the agent signed itself, or the name in those of an authority. */
export function byCertificate(
  certificates: string | null | undefined,
  name: CertificateNameInput | null | undefined,
  clock: Clock,
): Credentials {
  if (isGiven(certificates) && !isGiven(name))
    return {
      ...none,
      authMethod: 'self_signed_tls_client_auth',
      jwks: parseCertificates(certificates, clock.now()),
    };
  if (isGiven(name) && !isGiven(certificates))
    return { ...none, authMethod: 'tls_client_auth', certificateName: parseCertificateName(name) };
  throw badInput('Give either certificates, or the name in certificates of an authority.', 'certificateName');
}

/** The settings about credentials. */
export interface CredentialRules {
  readonly allowHttp: boolean;
  readonly staticSecrets: boolean;
}

function requireSecrets({ staticSecrets }: CredentialRules): void {
  if (staticSecrets) return;
  throw badInput(
    'No agent gets a secret here (BEHALF_STATIC_SECRETS=off): give it public keys, workloads or a certificate.',
    'publicKeys',
  );
}

function credentialsOf(input: NewAgent, rules: CredentialRules, clock: Clock): Credentials {
  const { publicKeys, workloads, certificates, certificateName } = input;
  const hasKeys = typeof publicKeys === 'string';
  const hasWorkloads = Array.isArray(workloads);
  const hasCertificate = isGiven(certificates) || isGiven(certificateName);
  if ([hasKeys, hasWorkloads, hasCertificate].filter(Boolean).length > 1)
    throw badInput('An agent has either public keys, workloads or certificates.', 'workloads');
  if (hasCertificate) return byCertificate(certificates, certificateName, clock);
  if (hasKeys) return byKeys(publicKeys);
  if (hasWorkloads) return byWorkloads(workloads as readonly NewWorkload[], rules.allowHttp);
  requireSecrets(rules);
  return bySecret;
}

/** Creates an agent without roles. `secret` is null for an agent with keys, workloads or certificates. */
export async function createAgent(
  unit: UnitOfWork,
  input: NewAgent,
  rules: CredentialRules,
): Promise<{ agent: AgentRow; secret: string | null }> {
  const credentials = credentialsOf(input, rules, unit.clock);
  const agent = await addAgent(unit, input, credentials);
  await requireNoClient(unit.tx, agent);
  return { agent, secret: credentials === bySecret ? await addSecret(unit, agent) : null };
}

/** Creates an agent without roles and without credentials: a client acts as it. */
export const createClientAgent = (unit: UnitOfWork, input: NewAgent): Promise<AgentRow> =>
  addAgent(unit, input, { ...none, authMethod: 'none' });

async function addAgent(unit: UnitOfWork, input: NewAgent, credentials: Credentials): Promise<AgentRow> {
  requirePlainClientId(input.name, 'name');
  const agent: AgentRow = {
    id: unit.ids.next(),
    name: input.name,
    displayName: visibleLine(input.displayName, 200, 'displayName'),
    businessTask: visibleLine(input.businessTask, 500, 'businessTask'),
    ownerId: await activeOwner(unit, input.ownerId),
    status: 'active',
    ...credentials,
    redirectUris: redirectUrisOf(input.redirectUris ?? []),
    tokenBinding: parseTokenBinding(input.tokenBinding),
    tokenGeneration: 0,
    createdAt: isoTime(unit.clock.now()),
    version: 1,
  };
  await add(unit, agents, agent, 'There is an agent of this name already.');
  return agent;
}

/** A new owner needs `by` to be allowed to grant the agent's roles. Tokens that are not bound as they must be end. */
export async function updateAgent(
  unit: UnitOfWork,
  by: string,
  before: AgentRow,
  changes: AgentChanges,
): Promise<AgentRow> {
  const { displayName, businessTask, ownerId, redirectUris, tokenBinding } = changes;
  if (typeof ownerId === 'string' && ownerId !== before.ownerId)
    await requireGrantableAgent(unit.tx, by, before);
  if (Array.isArray(redirectUris) || typeof tokenBinding === 'string') requireOwnClient(before);
  const binding = isGiven(tokenBinding) ? parseTokenBinding(tokenBinding) : before.tokenBinding;
  if (binding !== before.tokenBinding) await bumpEpoch(unit.tx);
  return store(unit, agents, before, {
    ...(typeof displayName === 'string' && { displayName: visibleLine(displayName, 200, 'displayName') }),
    ...(typeof businessTask === 'string' && { businessTask: visibleLine(businessTask, 500, 'businessTask') }),
    ...(typeof ownerId === 'string' && { ownerId: await activeOwner(unit, ownerId) }),
    ...(Array.isArray(redirectUris) && { redirectUris: redirectUrisOf(redirectUris) }),
    ...(binding !== before.tokenBinding && { tokenBinding: binding, ...nextGeneration(before) }),
  });
}

/** An agent as which a client acts would otherwise be a second client, without the ceilings of the first. */
function requireOwnClient({ authMethod }: AgentRow): void {
  if (authMethod !== 'none') return;
  throw conflict(
    'A client acts as this agent. Its keys and redirect URIs are those of the client: change that.',
  );
}

function redirectUrisOf(given: readonly string[]): readonly string[] | null {
  const uris = parseRedirectUris(given);
  return uris.length === 0 ? null : uris;
}

const overlapSecondsMax = 604_800;

/**
 * Earlier secrets, and tokens issued for them, stay valid for the overlap at most. Other credentials end at once; with
 * them, or without overlap, every token does too. `by` is the user who gets the new secret.
 */
export async function rotateSecret(
  unit: UnitOfWork,
  by: string,
  before: AgentRow,
  overlapSeconds: number,
  rules: CredentialRules,
): Promise<{ secret: string; ended: readonly Beyond[] }> {
  requireOwnClient(before);
  requireSecrets(rules);
  requireOverlap(overlapSeconds);
  const ended = await endBeyond(unit, by, before);
  await endSecrets(unit, before, overlapSeconds);
  const isAtOnce = overlapSeconds === 0 || before.authMethod !== bySecret.authMethod;
  await store(unit, agents, before, { ...bySecret, ...(isAtOnce && nextGeneration(before)) });
  return { secret: await addSecret(unit, before), ended };
}

/** Earlier credentials and every token of the agent end. `by` is the user who chooses the new ones. */
export async function setCredentials(
  unit: UnitOfWork,
  by: string,
  before: AgentRow,
  credentials: Credentials,
): Promise<readonly Beyond[]> {
  requireOwnClient(before);
  const ended = await endBeyond(unit, by, before);
  await endSecrets(unit, before, 0);
  await store(unit, agents, before, { ...credentials, ...nextGeneration(before) });
  return ended;
}

export function requireOverlap(seconds: number): void {
  if (seconds >= 0 && seconds <= overlapSecondsMax) return;
  throw badInput(`The overlap is between 0 and ${String(overlapSecondsMax)} seconds.`, 'overlapSeconds');
}

/** The agent's tokens end for good: starting it again revives none. */
export async function stopAgent(unit: UnitOfWork, before: AgentRow): Promise<void> {
  if (before.status === 'stopped') return;
  await store(unit, agents, before, { status: 'stopped', ...nextGeneration(before) });
  await bumpEpoch(unit.tx);
}

/** The holder of the credentials can act again, so `by` must be allowed to grant the agent's roles. */
export async function startAgent(unit: UnitOfWork, by: string, before: AgentRow): Promise<void> {
  if (before.status === 'active') return;
  await requireGrantableAgent(unit.tx, by, before);
  await store(unit, agents, before, { status: 'active' });
  await bumpEpoch(unit.tx);
}

/** Ends every token of the agent, and of delegations made through it. */
const nextGeneration = ({ tokenGeneration }: AgentRow): Pick<AgentRow, 'tokenGeneration'> => ({
  tokenGeneration: tokenGeneration + 1,
});

async function activeOwner(unit: UnitOfWork, ownerId: string): Promise<string> {
  const owner = isId(ownerId) ? await unit.tx.byId(users, ownerId) : undefined;
  if (owner === undefined) throw notFound('User');
  if (owner.status !== 'active') throw badInput('The owner must be active.', 'ownerId');
  return owner.id;
}

async function addSecret(unit: UnitOfWork, agent: AgentRow): Promise<string> {
  const secret = newClientSecret();
  const id = unit.ids.next();
  const createdAt = isoTime(unit.clock.now());
  const secretHash = hashClientSecret(secret);
  await unit.tx.insert(agentSecrets, [{ id, agentId: agent.id, secretHash, createdAt, expiresAt: null }]);
  unit.trail.changed({
    type: agentSecrets.type,
    id,
    before: null,
    after: { agentId: agent.id, expiresAt: null },
  });
  return secret;
}

/** Limits the life of every valid secret to the overlap. */
async function endSecrets(unit: UnitOfWork, agent: AgentRow, overlapSeconds: number): Promise<void> {
  const expiresAt = isoTime(unit.clock.now() + overlapSeconds * 1000);
  const longer = all<AgentSecretRow>(
    eq('agentId', agent.id),
    any(isNull('expiresAt'), compare('expiresAt', '>', expiresAt)),
  );
  for (const secret of await unit.tx.select(agentSecrets, longer)) {
    await unit.tx.update(agentSecrets, eq<AgentSecretRow>('id', secret.id), { expiresAt });
    const { agentId } = secret;
    unit.trail.changed({
      type: agentSecrets.type,
      id: secret.id,
      before: { agentId, expiresAt: secret.expiresAt },
      after: { agentId, expiresAt },
    });
  }
}
