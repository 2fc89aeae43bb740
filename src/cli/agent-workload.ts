import { byWorkloads, setCredentials } from '../admin/agents.js';
import type { NewWorkload } from '../admin/agent-workloads.js';
import type { Beyond } from '../admin/credentials.js';
import { findAgent } from '../operator/find-by-name.js';
import { change } from '../operator/recorded-change.js';
import { credentialRules } from './credential-rules.js';
import { confirm, linesOf, look, requireExpected, type CredentialsOptions } from './new-credentials.js';
import { withDatabase } from './operator/with-database.js';
import { answer, clean, paint } from './terminal/output.js';

/** The options that describe one workload. */
export interface WorkloadOption {
  readonly issuer: string;
  readonly subject: string;
  readonly keysUri?: string;
  readonly claim?: Readonly<Record<string, string>>;
  readonly reusable?: boolean;
}

export interface WorkloadOptions extends CredentialsOptions, WorkloadOption {
  readonly keep?: boolean;
}

const claimsOf = (claims: Readonly<Record<string, string>>): { name: string; value: string }[] =>
  Object.entries(claims).map(([name, value]) => ({ name, value }));

export const workloadOf = ({
  issuer,
  subject,
  keysUri,
  claim = {},
  reusable,
}: WorkloadOption): NewWorkload => ({
  ...{ issuer, subject, keysUri, reusable },
  claims: claimsOf(claim),
});

/** `behalf agent bind-workload` */
export async function bindWorkload(name: string, options: WorkloadOptions): Promise<void> {
  const { issuer, subject, keep = false } = options;
  const { json, dryRun = false, yes = false } = options;
  const { allowHttp } = credentialRules();
  const workload = workloadOf(options);
  byWorkloads([workload], allowHttp);
  const expected = await withDatabase((database) => look(database, name, options.as));
  if (dryRun) {
    answer(json, { name, dryRun, ended: expected }, () => [
      ...linesOf(expected, 'would end'),
      'This was a dry run: nothing was changed.',
    ]);
    return;
  }
  if (!yes && expected.length > 0) await confirm(expected, json === true);
  const event = { command: 'agent bind-workload', as: options.as, detail: { agent: name } };
  const ended = await withDatabase((database) =>
    change(database, event, async (deciding): Promise<readonly Beyond[]> => {
      await deciding.require('agents:manage');
      const agent = await findAgent(deciding.tx, name);
      const before = keep ? (agent.workloads ?? []) : [];
      const kept = before.map(({ claims, ...one }) => ({ ...one, claims: claimsOf(claims) }));
      const credentials = byWorkloads([...kept, workload], allowHttp);
      const gone = await setCredentials(deciding, deciding.by.id, agent, credentials);
      if (!yes) requireExpected(gone, expected);
      return gone;
    }),
  );
  answer(json, { name, issuer, subject, ended }, () => [
    `${paint('bold', name)} is ${clean(subject)} of ${clean(issuer)}; other credentials of it${keep ? ' but earlier workloads' : ''} no longer work.`,
    ...linesOf(ended, 'ended'),
  ]);
}
