import { emptyBody, insertRecords, type AuditBody, type RecordKind } from '../audit/record.js';
import { Trail, type Change } from '../audit/trail.js';
import type { ErrorCode } from '../core/errors.js';
import { isoTime, type Clock } from '../core/clock.js';
import type { Ids } from '../core/ids.js';
import type { Connection } from '../store/sql/connection.js';
import type { Database } from '../store/sql/database.js';
import { agents, delegations, users } from '../store/tables/identity.js';
import type { CommitGate } from './commit-gate.js';
import type { ShownRows } from './token-grant.js';

/** An event at the authorization server. It never holds a secret, a token or a code. */
export interface AuthEvent {
  readonly kind: RecordKind;
  /** The operation id, where the caller has already received one. */
  readonly operationId?: string;
  readonly outcome: 'success' | 'refused' | 'failure';
  readonly userId?: string;
  readonly agentId?: string;
  readonly clientName?: string;
  readonly delegationId?: string;
  readonly tokenId?: string;
  readonly grantType?: string;
  readonly errorCode?: string;
  readonly address?: string;
  readonly userAgent?: string;
  readonly detail?: string;
  /** The changes to rows that a caller may see. */
  readonly changes?: readonly Change[];
  /** The rows that a page shows in part. */
  readonly shown?: readonly ShownRows[];
}

/** The code of a refusal, where the caller is known. */
const refusals: Partial<Record<RecordKind, ErrorCode>> = { consent: 'FORBIDDEN' };

const outcomes = { success: 'succeeded', refused: 'refused', failure: 'failed' } as const;

/** Records sign-ins, tokens and revocations beside the operations that follow from them. */
export class AuthRecords {
  constructor(
    private readonly database: Database,
    private readonly commitGate: CommitGate,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** Resolves when the record is durable; throws `AUDIT_UNAVAILABLE`. */
  async recordAuthEvent(event: AuthEvent): Promise<void> {
    const body = await this.body(this.database.read, event);
    const look = (): Promise<never> => Promise.reject(new Error('A sign-in has no authority to look at.'));
    await this.commitGate.release({ authority: undefined, look, rows: 0, record: () => body });
  }

  /** As `recordAuthEvent`, inside the transaction that makes the change. */
  async recordAuthEventIn(tx: Connection, event: AuthEvent): Promise<void> {
    await insertRecords(tx, [await this.body(tx, event)]);
  }

  private async body(connection: Connection, event: AuthEvent): Promise<AuditBody> {
    const { clientName, grantType, errorCode, detail } = event;
    const eventDetail = { clientName, grantType, errorCode, detail };
    return {
      ...emptyBody,
      operationId: event.operationId ?? this.ids.next(),
      at: isoTime(this.clock.now()),
      kind: event.kind,
      outcome: outcomes[event.outcome],
      ...(await whoOfEvent(connection, event)),
      tokenId: event.tokenId ?? null,
      ...readBy(event),
      changes: event.changes ?? [],
      errors:
        event.outcome === 'success'
          ? []
          : [
              {
                code: event.outcome === 'failure' ? 'INTERNAL' : (refusals[event.kind] ?? 'UNAUTHENTICATED'),
              },
            ],
      source: { address: event.address ?? null, userAgent: event.userAgent ?? null },
      detail: Object.fromEntries(Object.entries(eventDetail).filter(([, value]) => value !== undefined)),
    };
  }
}

function readBy({ shown = [] }: AuthEvent): Pick<AuditBody, 'resources' | 'rowCount'> {
  const trail = new Trail();
  for (const { type, ids, values } of shown) {
    if (ids.length > 0) trail.touched(type, ids, 'read');
    if (values > 0) trail.looked(type, 'aggregate', values);
  }
  return { resources: trail.resources, rowCount: trail.rowCount };
}

/** The person and the agent with their current names, and the delegation with its parents. */
async function whoOfEvent(
  connection: Connection,
  event: AuthEvent,
): Promise<Pick<AuditBody, 'chain' | 'delegation'>> {
  const chain = [];
  for (let id = event.delegationId ?? null; id !== null;) {
    const row = await connection.byId(delegations, id);
    if (row === undefined) break;
    chain.push(row);
    id = row.parentId;
  }
  const acting = chain[0];
  const person = await connection.byId(users, acting?.userId ?? event.userId ?? '');
  const links = chain.map(({ agentId, id }) => ({ agentId, delegationId: id })).reverse();
  if (links.length === 0 && event.agentId !== undefined)
    links.push({ agentId: event.agentId, delegationId: '' });
  const acted = [];
  for (const { agentId, delegationId } of links) {
    const agent = await connection.byId(agents, agentId);
    if (agent !== undefined) {
      acted.push({ ...named(agent), delegationId, role: '' });
    }
  }
  return {
    chain:
      person === undefined && acted.length === 0
        ? null
        : { person: person === undefined ? null : named(person), agents: acted },
    delegation:
      acting === undefined
        ? null
        : { id: acting.id, ids: chain.map((row) => row.id), task: acting.task, purpose: acting.purpose },
  };
}

const named = ({ id, name, displayName }: { id: string; name: string; displayName: string }) => ({
  id,
  name,
  displayName,
});
