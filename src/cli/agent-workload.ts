import { byWorkloads, type Credentials } from '../admin/agents.js';
import type { NewWorkload } from '../admin/agent-workloads.js';
import type { AgentRow } from '../store/tables/identity.js';
import { credentialRules } from './credential-rules.js';
import { bindCredentials, linesOf, type CredentialsOptions } from './new-credentials.js';
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
  const { allowHttp } = credentialRules();
  const workload = workloadOf(options);
  byWorkloads([workload], allowHttp);
  const credentialsFor = ({ workloads }: AgentRow): Credentials => {
    const before = keep ? (workloads ?? []) : [];
    const kept = before.map(({ claims, ...one }) => ({ ...one, claims: claimsOf(claims) }));
    return byWorkloads([...kept, workload], allowHttp);
  };
  const binding = { command: 'agent bind-workload', name, credentialsFor };
  const ended = await bindCredentials(binding, options);
  if (ended === undefined) return;
  answer(options.json, { name, issuer, subject, ended }, () => [
    `${paint('bold', name)} is ${clean(subject)} of ${clean(issuer)}; other credentials of it${keep ? ' but earlier workloads' : ''} no longer work.`,
    ...linesOf(ended, 'ended'),
  ]);
}
