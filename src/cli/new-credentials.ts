import { setCredentials, type Credentials } from '../admin/agents.js';
import { lookBeyond, type Beyond } from '../admin/credentials.js';
import { CommandError } from '../core/command-error.js';
import { systemClock } from '../core/clock.js';
import { findAgent } from '../operator/find-by-name.js';
import { change, findDecider, type AsOption, type Deciding } from '../operator/recorded-change.js';
import type { Database } from '../store/sql/database.js';
import type { AgentRow } from '../store/tables/identity.js';
import { withDatabase } from './operator/with-database.js';
import { agree, dryRunLine, type AgreementOptions } from './terminal/agreement.js';
import { answer, clean, columns } from './terminal/output.js';

export interface CredentialsOptions extends AsOption, AgreementOptions {}

/** New credentials of one agent. */
interface NewCredentials {
  /** As typed, without its arguments: `agent bind-workload`. */
  readonly command: string;
  readonly name: string;
  readonly credentialsFor: (agent: AgentRow) => Credentials;
}

/** A change of credentials that was made. */
interface Made {
  /** The delegations that ended with it. */
  readonly ended: readonly Beyond[];
}

/** Throws where more delegations would end than the person has agreed to. */
type RequireAgreed = (ended: readonly Beyond[]) => void;

/**
 * Gives an agent new credentials, once its person has agreed to what ends with the earlier ones. Undefined for a dry run,
 * which is answered here.
 */
export async function bindCredentials(
  { command, name, credentialsFor }: NewCredentials,
  options: CredentialsOptions,
): Promise<readonly Beyond[] | undefined> {
  const requireAgreed = await agreedEnds(name, options);
  if (requireAgreed === undefined) return undefined;
  const event = { command, name, as: options.as, requireAgreed };
  const { ended } = await changeCredentials(event, async (deciding, agent) => ({
    ended: await setCredentials(deciding, deciding.by.id, agent, credentialsFor(agent)),
  }));
  return ended;
}

/** Asks for agreement to what new credentials of the agent would end. Undefined for a dry run, which is answered here. */
export async function agreedEnds(
  name: string,
  options: CredentialsOptions,
): Promise<RequireAgreed | undefined> {
  const { as, json, dryRun = false, yes = false } = options;
  const expected = await withDatabase((database) => look(database, name, as));
  const lines = linesOf(expected, 'would end');
  if (dryRun) {
    answer(json, { name, dryRun, ended: expected }, () => [...lines, dryRunLine]);
    return undefined;
  }
  await agree(lines, 'these delegations', options);
  return yes
    ? () => undefined
    : (ended) => {
        requireExpected(ended, expected);
      };
}

/** Makes the change, where no more ends with it than was agreed to. */
export const changeCredentials = <T extends Made>(
  {
    command,
    name,
    as,
    requireAgreed,
  }: {
    readonly command: string;
    readonly name: string;
    readonly as: string | undefined;
    readonly requireAgreed: RequireAgreed;
  },
  set: (deciding: Deciding, agent: AgentRow) => Promise<T>,
): Promise<T> =>
  withDatabase((database) =>
    change(database, { command, as, detail: { agent: name } }, async (deciding) => {
      await deciding.require('agents:manage');
      const made = await set(deciding, await findAgent(deciding.tx, name));
      requireAgreed(made.ended);
      return made;
    }),
  );

/** The live delegations that new credentials of the agent would end. */
async function look(database: Database, name: string, as: string | undefined): Promise<readonly Beyond[]> {
  const by = await findDecider(database, as, 'agents:manage');
  const agent = await findAgent(database.read, name);
  return lookBeyond({ tx: database.read, clock: systemClock }, by.id, agent);
}

/** Throws where more delegations would end than the person has agreed to. */
function requireExpected(ended: readonly Beyond[], expected: readonly Beyond[]): void {
  const confirmed = new Set(expected.map(({ delegationId }) => delegationId));
  if (ended.every(({ delegationId }) => confirmed.has(delegationId))) return;
  throw new CommandError('More would end now than was told. Nothing was changed; run it again.');
}

export function linesOf(ended: readonly Beyond[], verb: string): string[] {
  if (ended.length === 0) return [];
  const rows = ended.map(({ delegationId, missingRoles }) => [
    `  ${delegationId}`,
    clean(missingRoles.join(', ')),
  ]);
  return [
    `${String(ended.length)} live delegations ${verb}: they use roles that are not yours to grant.`,
    ...columns(rows),
  ];
}
