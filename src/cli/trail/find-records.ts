import type { AuditBody, Outcome, RecordKind } from '../../audit/record.js';
import { among, mayName, naming, underDelegation } from '../../audit/record-index.js';
import { isoTime } from '../../core/clock.js';
import type { ErrorCode } from '../../core/errors.js';
import { all, compare, eq, quote, type Condition } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { auditDocuments, auditRecords, type AuditRecordRow } from '../../store/tables/audit.js';
import { agents, users, type AgentRow, type UserRow } from '../../store/tables/identity.js';
import { CommandError } from '../../core/command-error.js';
import type { Resource } from './resource-option.js';
import { recordReader } from './shown-record.js';

/** The same conditions as in `auditRecords(filter:)`. */
export interface RecordFilter {
  /** ISO 8601, as stored. */
  readonly since?: string;
  readonly until?: string;
  readonly person?: string;
  readonly agent?: string;
  readonly delegation?: string;
  readonly task?: string;
  readonly outcome?: Outcome;
  readonly kind?: RecordKind;
  readonly operationName?: string;
  readonly errorCode?: ErrorCode;
  readonly unregistered?: boolean;
  readonly resource?: Resource;
}

type Where = Condition<AuditRecordRow>;

/** The filter as a condition; names of people and agents become ids. */
export async function conditionOf(connection: Connection, filter: RecordFilter): Promise<Where> {
  const conditions: Where[] = [];
  const add = <T>(value: T | undefined, condition: (value: T) => Where): void => {
    if (value !== undefined) conditions.push(condition(value));
  };
  add(filter.since, (time) => compare('at', '>=', time));
  add(filter.until, (time) => compare('at', '<', time));
  add(filter.task, (task) => all(eq('task', task), among('@task', [task])));
  add(filter.outcome, (outcome) => eq('outcome', outcome));
  add(filter.kind, (kind) => eq('kind', kind));
  add(filter.operationName, (name) => eq('operationName', name));
  add(filter.errorCode, (code) => eq('errorCode', code));
  add(filter.delegation, (id) => underDelegation(id));
  add(filter.resource, ({ type, id }) => naming(type, id));
  if (filter.unregistered === true) conditions.push(inDocuments);
  if (filter.person !== undefined) {
    const id = await userId(connection, filter.person);
    conditions.push(eq('userId', id), among('@person', [id]));
  }
  if (filter.agent !== undefined) {
    const id = await agentId(connection, filter.agent);
    conditions.push(eq('agentId', id), among('@agent', [id]));
  }
  return all(...conditions);
}

/** How many older records of this type do not name all rows that they touched, so that the search may miss them. */
export async function countUnnamed(connection: Connection, resource: Resource | undefined): Promise<number> {
  return resource === undefined ? 0 : connection.count(auditRecords, mayName(resource.type));
}

const inDocuments: Where = {
  kind: 'sql',
  sql: { text: `t.\`id\` IN (SELECT \`record_id\` FROM ${quote(auditDocuments.name)})`, params: [] },
};

async function userId(connection: Connection, name: string): Promise<string> {
  const user = await connection.one(users, eq<UserRow>('name', name));
  if (user === undefined)
    throw new CommandError(`There is no user ${name}. \`behalf user list\` shows who there is.`);
  return user.id;
}

async function agentId(connection: Connection, name: string): Promise<string> {
  const agent = await connection.one(agents, eq<AgentRow>('name', name));
  if (agent === undefined) {
    throw new CommandError(`There is no agent ${name}. \`behalf agent list\` shows which there are.`);
  }
  return agent.id;
}

/** The newest matching records, oldest first. */
export async function newestRecords(
  connection: Connection,
  where: Where,
  limit: number,
): Promise<AuditBody[]> {
  const rows = await connection.select(auditRecords, where, {
    order: [
      { column: 'at', direction: 'desc' },
      { column: 'id', direction: 'desc' },
    ],
    limit,
  });
  return rows.reverse().map(await recordReader(connection));
}

/** Records of one moment are committed in any order, so each look reads the last seconds again. */
const overlapMs = 5_000;

/** Finds the records since the last look, each record once. */
export class Follower {
  private seen = new Map<string, string>();

  constructor(
    private readonly where: Where,
    private fromMs: number,
  ) {}

  /** Marks records as already printed. */
  skip(bodies: readonly AuditBody[]): void {
    for (const body of bodies) this.seen.set(body.operationId, body.at);
  }

  async look(connection: Connection): Promise<AuditBody[]> {
    const since = isoTime(this.fromMs - overlapMs);
    const rows = await connection.select(auditRecords, all(this.where, compare('at', '>=', since)), {
      order: [
        { column: 'at', direction: 'asc' },
        { column: 'id', direction: 'asc' },
      ],
    });
    const bodies = rows.filter((row) => !this.seen.has(row.id)).map(await recordReader(connection));
    this.skip(bodies);
    const last = rows.at(-1);
    if (last !== undefined) this.fromMs = Math.max(this.fromMs, Date.parse(last.at));
    for (const [id, at] of this.seen) if (at < since) this.seen.delete(id);
    return bodies;
  }
}
