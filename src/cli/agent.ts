import { secretsInForce } from '../admin/agent-secrets.js';
import type { NewWorkload } from '../admin/agent-workloads.js';
import { createAgent, startAgent, stopAgent } from '../admin/agents.js';
import { assignAgentRole, unassignAgentRole } from '../admin/assignments.js';
import { systemClock } from '../core/clock.js';
import { CommandError } from '../core/command-error.js';
import { change, type AsOption, type Deciding } from '../operator/recorded-change.js';
import { findAgent, findRole, findUser } from '../operator/find-by-name.js';
import { certificateInput, type CertificateOptions } from './agent-certificate.js';
import { workloadOf, type WorkloadOption } from './agent-workload.js';
import { credentialRules } from './credential-rules.js';
import { listAgents } from './operator/list-accounts.js';
import { withDatabase } from './operator/with-database.js';
import { isNull, not } from '../store/sql/condition.js';
import type { AgentRow } from '../store/tables/identity.js';
import { resourceServers } from '../store/tables/resource-servers.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean, columns, paint } from './terminal/output.js';
import { readText } from './terminal/read-text.js';
import { handingOver } from './terminal/secret-file.js';

export interface CreateOptions extends AsOption, Partial<WorkloadOption>, CertificateOptions {
  readonly displayName?: string;
  readonly task: string;
  readonly owner: string;
  readonly role: readonly string[];
  readonly redirectUri: readonly string[];
  readonly publicKeys?: string;
  readonly secretFile?: string;
}

/** `behalf agent create` */
export async function create(name: string, options: CreateOptions): Promise<void> {
  const { displayName = name, task, owner, role: roleNames, redirectUri: redirectUris } = options;
  const publicKeys = options.publicKeys === undefined ? null : readText(options.publicKeys);
  const workloads = workloadsIn(options);
  const event = { command: 'agent create', as: options.as, detail: { agent: name, owner, roles: roleNames } };
  const handed = await handingOver('secret', options.secretFile, (keep) =>
    withDatabase((database) =>
      change(database, event, async (deciding) => {
        await deciding.require('agents:manage');
        const { id: ownerId } = await findUser(deciding.tx, owner);
        const { agent, secret } = await createAgent(
          deciding,
          {
            ...{ name, displayName, businessTask: task, ownerId, publicKeys, redirectUris, workloads },
            ...certificateInput(options),
          },
          credentialRules(),
        );
        if (roleNames.length > 0) await deciding.require('roles:assign');
        for (const role of roleNames) {
          const found = await findRole(deciding.tx, role, 'agent');
          await assignAgentRole(deciding, deciding.by.id, agent, found);
        }
        if (secret !== null) keep(secret);
      }),
    ),
  );
  answer(options.json, { name, ...handed.json }, () => [
    `${paint('bold', name)} can ask for tokens once somebody delegates a task to it.`,
    handed.text,
  ]);
}

function workloadsIn({ issuer, subject, ...more }: CreateOptions): NewWorkload[] | null {
  if (issuer === undefined && subject === undefined) return null;
  if (issuer === undefined || subject === undefined)
    throw new CommandError('A workload has an issuer and a subject: say both.');
  return [workloadOf({ issuer, subject, ...more })];
}

/** `behalf agent secrets`: of resource servers as well. Registered clients never have one. */
export async function secrets(options: JsonOption): Promise<void> {
  const found = await withDatabase(async ({ read }) => {
    const inForce = await secretsInForce(read, systemClock);
    const ofAgents = (await listAgents(read)).flatMap(({ id, name, owner, status }) => {
      const held = inForce.get(id);
      const of = { kind: 'agent', name, owner, status };
      return held === undefined ? [] : [{ ...of, secrets: held.count, since: held.since }];
    });
    const order = [{ column: 'name', direction: 'asc' }] as const;
    const servers = await read.select(resourceServers, not(isNull('secretHash')), { order });
    const ofServers = servers.map(({ name, createdAt: since }) => {
      const of = { kind: 'resource server', name, owner: null, status: 'active' };
      return { ...of, secrets: 1, since };
    });
    return [...ofAgents, ...ofServers];
  });
  answer(options.json, found, () =>
    found.length === 0
      ? ['No agent and no resource server has a secret.']
      : columns([
          ['kind', 'name', 'owner', 'status', 'secrets', 'since'],
          ...found.map(({ kind, name, owner, status, secrets: count, since }) => [
            ...[kind, clean(name), clean(owner ?? ''), status, String(count), since],
          ]),
        ]),
  );
}

/** `behalf agent list` */
export async function list(options: JsonOption): Promise<void> {
  const all = await withDatabase((database) => listAgents(database.read));
  answer(options.json, all, () =>
    columns([
      ['name', 'owner', 'status', 'roles', 'task'],
      ...all.map((agent) => [
        ...[clean(agent.name), clean(agent.owner), agent.status],
        ...[agent.roles.join(', '), clean(agent.businessTask)],
      ]),
    ]),
  );
}

const setting =
  (name: string, status: 'active' | 'stopped', set: (deciding: Deciding, agent: AgentRow) => Promise<void>) =>
  async (agentName: string, options: AsOption): Promise<void> => {
    const event = { command: name, as: options.as, detail: { agent: agentName } };
    await withDatabase((database) =>
      change(database, event, async (deciding) => {
        await deciding.require('agents:manage');
        await set(deciding, await findAgent(deciding.tx, agentName));
      }),
    );
    answer(options.json, { name: agentName, status }, () => `${paint('bold', agentName)} is ${status}.`);
  };

const assigning =
  (name: string, outcome: string, work: typeof assignAgentRole) =>
  async (agentName: string, roleName: string, options: AsOption): Promise<void> => {
    const event = { command: name, as: options.as, detail: { agent: agentName, role: roleName } };
    await withDatabase((database) =>
      change(database, event, async (deciding) => {
        await deciding.require('roles:assign');
        const role = await findRole(deciding.tx, roleName, 'agent');
        const agent = await findAgent(deciding.tx, agentName);
        await work(deciding, deciding.by.id, agent, role);
      }),
    );
    answer(
      options.json,
      { name: agentName, role: roleName, command: name },
      () => `${paint('bold', agentName)} ${outcome} the role ${roleName}.`,
    );
  };

/** `behalf agent stop` */
export const stop = setting('agent stop', 'stopped', (deciding, agent) => stopAgent(deciding, agent));

/** `behalf agent start` */
export const start = setting('agent start', 'active', (deciding, agent) =>
  startAgent(deciding, deciding.by.id, agent),
);

/** `behalf agent assign` */
export const assign = assigning('agent assign', 'now holds', assignAgentRole);

/** `behalf agent unassign` */
export const unassign = assigning('agent unassign', 'no longer holds', unassignAgentRole);
