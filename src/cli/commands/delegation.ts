import type { Command } from 'commander';
import type { ListOptions, RevokeOptions } from '../delegation.js';
import type { CreateOptions } from '../delegation-create.js';
import { command, group, type JsonOption } from '../terminal/command.js';
import {
  asOption,
  boundaryOf,
  idOf,
  oneOf,
  positiveNumber,
  secondsOf,
  wholeNumber,
} from '../terminal/options.js';

const statuses = ['active', 'completed', 'revoked', 'expired'] as const;

export const delegationCommand = (): Command =>
  group(
    'delegation',
    'the tasks that people have handed to agents',
    command(
      'delegation create',
      'hand an agent one task, with no more than the person and the agent’s role allow',
      'helpdesk-assistant --task ticket:T-4021 --purpose "Answer it" --scope tickets:read --boundary customer=C-1042 --as rosa.lind',
    )
      .argument('<agent>', 'the agent’s name')
      .requiredOption('--task <reference>', 'what it is about, such as ticket:T-4021')
      .requiredOption('--purpose <text>', 'what it is for, in a sentence')
      .requiredOption('--scope <scope...>', 'what is handed over')
      .option('--role <role>', 'the agent’s role to use (default: the one that fits)')
      .option(
        '--boundary <dimension=values>',
        'narrow one dimension to values or numbers, with commas between them; may be given again',
        boundaryOf,
      )
      .option('--operations <number>', 'how many operations (default: what the role allows)', positiveNumber)
      .option('--rows <number>', 'how many rows (default: what the role allows)', positiveNumber)
      .option(
        '--depth <number>',
        'how many times it may be handed on (default: what the role allows)',
        wholeNumber,
      )
      .option(
        '--expires-in <time>',
        'when it ends: 15m, 2h, 7d (default: 1h, or what the role allows if standing)',
        secondsOf,
      )
      .option('--standing', 'for an agent on a schedule: it does not end with one task')
      .option('--as <user>', 'the person who hands it over and answers for it')
      .action(async (agent: string, options: CreateOptions) =>
        (await import('../delegation-create.js')).create(agent, options),
      ),
    command(
      'delegation list',
      'which delegations there are, newest first',
      '--agent helpdesk-assistant --status active',
    )
      .option('--agent <name>', 'those of this agent')
      .option('--user <name>', 'those of this person')
      .option('--status <status>', `those that are ${statuses.join(', ')}`, oneOf(statuses))
      .option('--limit <number>', 'how many at most', positiveNumber, 50)
      .action(async (options: ListOptions) => (await import('../delegation.js')).list(options)),
    command(
      'delegation show',
      'one delegation with its scopes, boundary and what it has spent',
      '01JD8Z0Q6Y3V5W7X9ABCDEFGHJ',
    )
      .argument('<id>', 'the delegation’s id', idOf)
      .action(async (id: string, options: JsonOption) =>
        (await import('../delegation.js')).show(id, options),
      ),
    command(
      'delegation revoke',
      'end delegations with all that was handed on from them, at once',
      '01JD8Z0Q6Y3V5W7X9ABCDEFGHJ --as admin',
      '--agent helpdesk-assistant --user rosa.lind --as admin',
    )
      .argument('[id]', 'the delegation’s id', idOf)
      .option('--agent <name>', 'all of this agent')
      .option('--user <name>', 'all of this person')
      .option(...asOption)
      .action(async (id: string | undefined, options: RevokeOptions) =>
        (await import('../delegation.js')).revoke(id, options),
      ),
  );
