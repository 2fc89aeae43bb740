import { CommandError } from '../../core/command-error.js';
import { all, eq, isIn, type Condition } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { agents, users, type AgentRow, type UserRow } from '../../store/tables/identity.js';

/** Options that choose what a person gave an agent. */
export interface OwnedOptions {
  /** An agent's name. */
  readonly agent?: string;
  /** A person's name. */
  readonly user?: string;
}

interface Owned {
  readonly id: string;
  readonly userId: string;
  readonly agentId: string;
}

/** The rows of this agent and of this person, where they are named. Throws `CommandError` for an unknown name. */
export async function ownedBy<Row extends Owned>(
  tx: Connection,
  { agent, user }: OwnedOptions,
): Promise<Condition<Row>> {
  const agentRow = agent === undefined ? undefined : await tx.one(agents, eq<AgentRow>('name', agent));
  const userRow = user === undefined ? undefined : await tx.one(users, eq<UserRow>('name', user));
  if (agent !== undefined && agentRow === undefined)
    throw new CommandError(`There is no agent ${agent}. \`behalf agent list\` shows which there are.`);
  if (user !== undefined && userRow === undefined)
    throw new CommandError(`There is no user ${user}. \`behalf user list\` shows who there is.`);
  return all<Row>(
    ...(agentRow === undefined ? [] : [eq<Row>('agentId', agentRow.id)]),
    ...(userRow === undefined ? [] : [eq<Row>('userId', userRow.id)]),
  );
}

/** Throws unless either an id was given, or an agent or a person. */
export function requireChosen(id: string | undefined, { agent, user }: OwnedOptions): void {
  const isOwned = agent !== undefined || user !== undefined;
  if ((id !== undefined) !== isOwned) return;
  throw new CommandError('Say which: either an id, or all of them by --agent NAME, --user NAME or both.');
}

export interface OwnerNames {
  readonly user: (row: Owned) => string;
  readonly agent: (row: Owned) => string;
}

/** The names of the people and agents of these rows. */
export async function ownerNames(tx: Connection, rows: readonly Owned[]): Promise<OwnerNames> {
  const people = await tx.select(users, isIn<UserRow>('id', [...new Set(rows.map((row) => row.userId))]));
  const machines = await tx.select(
    agents,
    isIn<AgentRow>('id', [...new Set(rows.map((row) => row.agentId))]),
  );
  const names = new Map([...people, ...machines].map(({ id, name }) => [id, name]));
  return {
    user: ({ userId }) => names.get(userId) ?? userId,
    agent: ({ agentId }) => names.get(agentId) ?? agentId,
  };
}
