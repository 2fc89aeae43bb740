import type { Command } from 'commander';
import { createAgent, startAgent, stopAgent } from '../admin/agents.js';
import { assignAgentRole, unassignAgentRole } from '../admin/assignments.js';
import { aboutNewSecrets, rotateAgentSecret } from './agent-secret.js';
import { change, type AsOption, type Deciding } from '../operator/recorded-change.js';
import { findAgent, findRole, findUser } from '../operator/find-by-name.js';
import { listAgents } from './operator/list-accounts.js';
import { withDatabase } from './operator/with-database.js';
import type { AgentRow } from '../store/tables/identity.js';
import { command, group, type JsonOption } from './terminal/command.js';
import { answer, clean, columns, paint } from './terminal/output.js';
import { wholeNumber } from './terminal/options.js';
import { readText } from './terminal/read-text.js';
import { handingOver } from './terminal/secret-file.js';

interface CreateOptions extends AsOption {
  readonly displayName?: string;
  readonly task: string;
  readonly owner: string;
  readonly role: readonly string[];
  readonly publicKeys?: string;
  readonly secretFile?: string;
}

const asOption = ['--as <user>', 'the person who decides this, as the record will name them'] as const;
const secretFile = [
  '--secret-file <file>',
  'write the secret into this new file, for you alone, and do not print it',
] as const;

export const agentCommand = (): Command =>
  group(
    'agent',
    'agents and their secrets',
    command(
      'agent create',
      'make an agent',
      'helpdesk-bot --task "Answer tickets" --owner rosa.lind --role support-agent --as admin',
    )
      .argument('<name>', 'its name, also its OAuth client id')
      .requiredOption('--task <text>', 'the one business task that it is for')
      .requiredOption('--owner <user>', 'the person who answers for it')
      .option('--display-name <name>', 'the name as people write it (default: its name)')
      .option('--role <role...>', 'roles to assign: its ceiling', [])
      .option('--public-keys <file>', 'a JSON Web Key Set; with it the agent signs and has no secret')
      .option(...secretFile)
      .option(...asOption)
      .action(create),
    command('agent list', 'which agents there are', '').action(list),
    command('agent rotate-secret', 'give an agent a new secret', 'helpdesk-bot --overlap 3600 --as admin')
      .argument('<name>')
      .option('--overlap <seconds>', 'how long earlier secrets stay valid', wholeNumber, 0)
      .option('--dry-run', 'tell which delegations would end, and change nothing')
      .option('--yes', 'do not ask before delegations end')
      .option(...secretFile)
      .option(...asOption)
      .addHelpText('after', aboutNewSecrets)
      .action(rotateAgentSecret),
    command('agent stop', 'stop an agent and all its tokens at once', 'helpdesk-bot --as admin')
      .argument('<name>')
      .option(...asOption)
      .action(setting('agent stop', 'stopped', (deciding, agent) => stopAgent(deciding, agent))),
    command('agent start', 'let a stopped agent go on', 'helpdesk-bot --as admin')
      .argument('<name>')
      .option(...asOption)
      .action(
        setting('agent start', 'active', (deciding, agent) => startAgent(deciding, deciding.by.id, agent)),
      ),
    command('agent assign', 'give an agent a role', 'helpdesk-bot support-agent --as admin')
      .argument('<name>')
      .argument('<role>')
      .option(...asOption)
      .action(assigning('agent assign', 'now holds', assignAgentRole)),
    command('agent unassign', 'take a role from an agent', 'helpdesk-bot support-agent --as admin')
      .argument('<name>')
      .argument('<role>')
      .option(...asOption)
      .action(assigning('agent unassign', 'no longer holds', unassignAgentRole)),
  );

async function create(name: string, options: CreateOptions): Promise<void> {
  const { displayName = name, task, owner, role: roleNames } = options;
  const publicKeys = options.publicKeys === undefined ? null : readText(options.publicKeys);
  const event = { command: 'agent create', as: options.as, detail: { agent: name, owner, roles: roleNames } };
  const handed = await handingOver('secret', options.secretFile, (keep) =>
    withDatabase((database) =>
      change(database, event, async (deciding) => {
        await deciding.require('agents:manage');
        const { id: ownerId } = await findUser(deciding.tx, owner);
        const { agent, secret } = await createAgent(deciding, {
          ...{ name, displayName, businessTask: task, ownerId, publicKeys },
        });
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

async function list(options: JsonOption): Promise<void> {
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
