import { Trail } from '../audit/trail.js';
import { isoTime, type Clock } from '../core/clock.js';
import { canonicalJson, sha256Hex } from '../core/digest.js';
import type { Ids } from '../core/ids.js';
import type { ClientChange, KeptClient, UnknownClient } from '../delegation/unknown-client.js';
import { all, compare, eq, isIn } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import {
  clientRules,
  clients,
  type ClientDescription,
  type ClientRow,
  type ClientRuleRow,
} from '../store/tables/clients.js';
import { roles, users, type RoleRow } from '../store/tables/identity.js';
import { createClientAgent } from './agents.js';
import { giveAgentRole } from './assignments.js';
import { describeClient } from './client-metadata.js';
import { waitingMs } from './client-requests.js';
import { grantableOf } from './grantable-roles.js';
import { insert, shown, store, type UnitOfWork } from './unit-of-work.js';
import { makeRoom } from './waiting-room.js';

/** When a client that begins to wait now is forgotten. */
export const waitEnd = (clock: Clock): string => isoTime(clock.now() + waitingMs);
/** How many are forgotten in one transaction. */
const forgottenAtOnce = 100;

/**
 * Clients that nobody registered by hand. Each is kept in quarantine, where it can do nothing, until an administrator
 * admits it, or is admitted by the rule for the host of its document. What was admitted changes by administrators alone.
 */
export class ClientRegistry {
  constructor(
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  describe = describeClient;

  /** Keeps a client, unless it is known. Undefined where too many wait for whom people asked. */
  async keep(tx: Connection, unknown: UnknownClient): Promise<KeptClient | undefined> {
    const { clientId, registration, description } = unknown;
    const known = await tx.one(clients, eq<ClientRow>('clientId', clientId));
    if (known !== undefined) return { client: known, detail: 'known', changes: [] };
    const at = isoTime(this.clock.now());
    const unit = this.unitIn(tx);
    const rule = registration === 'document' ? await this.ruleFor(tx, new URL(clientId).host) : undefined;
    const room = rule === undefined ? await makeRoom(tx, unknown) : undefined;
    if (room?.isFree === false) return undefined;
    const client: ClientRow = {
      ...{ id: this.ids.next(), clientId, registration, ...description },
      ...(rule === undefined
        ? { status: 'quarantined', agentId: null, scopes: null, expiresAt: waitEnd(this.clock) }
        : {
            ...{ status: 'active', scopes: rule.row.scopes, expiresAt: null },
            agentId: await agentBy(unit, rule, clientId, description),
          }),
      ...{ isOwnTool: false, resources: null, notificationEndpoint: null },
      ...{ changedTo: null, requestedAt: null, certificateName: null },
      ...{ checkedAt: registration === 'document' ? at : null, createdAt: at, version: 1 },
    };
    await insert(unit, clients, client);
    const how = rule === undefined ? 'waits for admission' : `admitted by the rule for ${rule.row.host}`;
    const kept = { client, detail: `client ${clientId}: ${how}`, changes: unit.trail.changes };
    return room?.gaveWay === undefined
      ? kept
      : { ...kept, gaveWay: forgotten(room.gaveWay, 'since newer ones wait and nobody asked for it') };
  }

  /** Notes what the document of a client says now. Returns the change of what waits for a decision, if there is one. */
  async compare(
    tx: Connection,
    { id }: Pick<ClientRow, 'id'>,
    described: ClientDescription,
  ): Promise<ClientChange | undefined> {
    const before = await tx.one(clients, eq<ClientRow>('id', id), { lock: 'update' });
    if (before === undefined || before.status === 'stopped') return undefined;
    const unit = this.unitIn(tx);
    const description = notLooser(described, before);
    const isAsAdmitted = canonicalJson(descriptionOf(before)) === canonicalJson(description);
    const changedTo = isAsAdmitted ? null : description;
    if (before.status === 'quarantined') {
      if (isAsAdmitted) return undefined;
      const client = await store(unit, clients, before, description);
      return {
        client,
        detail: `client ${client.clientId}: its document changed`,
        changes: unit.trail.changes,
      };
    }
    if (canonicalJson(before.changedTo) === canonicalJson(changedTo)) return undefined;
    const client = await store(unit, clients, before, { changedTo });
    const detail = `client ${client.clientId}: its document is not what was admitted`;
    return { client, detail, changes: unit.trail.changes };
  }

  /** Takes the turn to read a client's document again. False where another request has it. */
  async claimCheck(tx: Connection, { id, checkedAt }: ClientRow): Promise<boolean> {
    const unchecked = all<ClientRow>(eq('id', id), eq('checkedAt', checkedAt));
    return (await tx.update(clients, unchecked, { checkedAt: isoTime(this.clock.now()) })) > 0;
  }

  /** Forgets clients that waited too long; as many as fit into one transaction. */
  async forget(tx: Connection): Promise<readonly ClientChange[]> {
    const due = all<ClientRow>(
      eq('status', 'quarantined'),
      compare('expiresAt', '<=', isoTime(this.clock.now())),
    );
    const rows = await tx.select(clients, due, { limit: forgottenAtOnce, lock: 'update' });
    if (rows.length > 0)
      await tx.delete(
        clients,
        isIn<ClientRow>(
          'id',
          rows.map(({ id }) => id),
        ),
      );
    return rows.map((client) => forgotten(client, 'since nobody admitted it in time'));
  }

  /** The rule for a host, where the administrator who made it may still grant the role. */
  private async ruleFor(tx: Connection, host: string): Promise<RuleInForce | undefined> {
    const row = await tx.one(clientRules, eq<ClientRuleRow>('host', host));
    if (row === undefined) return undefined;
    const people = await tx.select(users, isIn('id', [row.addedBy, row.ownerId]));
    const isActive =
      people.length === new Set([row.addedBy, row.ownerId]).size &&
      people.every(({ status }) => status === 'active');
    const role = await tx.byId(roles, row.roleId);
    const grantable = await grantableOf(tx, row.addedBy);
    const isInForce = isActive && grantable.some(({ id }) => id === row.roleId);
    return isInForce && role !== undefined ? { row, role } : undefined;
  }

  private unitIn(tx: Connection): UnitOfWork {
    return { tx, clock: this.clock, ids: this.ids, trail: new Trail() };
  }
}

interface RuleInForce {
  readonly row: ClientRuleRow;
  readonly role: RoleRow;
}

const forgotten = (client: ClientRow, why: string): ClientChange => ({
  client,
  detail: `client ${client.clientId}: forgotten, ${why}`,
  changes: [{ type: clients.type, id: client.id, before: shown(client), after: null }],
});

const descriptionOf = ({
  name,
  authMethod,
  jwks,
  redirectUris,
  tokenBinding,
}: ClientRow): ClientDescription => ({
  ...{ name, authMethod, jwks, redirectUris, tokenBinding },
});

/** A document may ask that tokens are bound, and never that they need not be. */
const notLooser = (described: ClientDescription, { tokenBinding }: ClientRow): ClientDescription =>
  described.tokenBinding === 'any' ? { ...described, tokenBinding } : described;

/** An agent of its own for a client that a rule admits, named by the host and the client id. */
async function agentBy(
  unit: UnitOfWork,
  { row, role }: RuleInForce,
  clientId: string,
  { name }: ClientDescription,
): Promise<string> {
  const host = row.host
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 80);
  const agent = await createClientAgent(unit, {
    name: `${host}-${sha256Hex(clientId).slice(0, 12)}`,
    displayName: name,
    businessTask: role.businessTask,
    ownerId: row.ownerId,
  });
  await giveAgentRole(unit, agent, role, row.addedBy);
  return agent.id;
}
