import type { Command } from 'commander';
import type { ListOptions, WithdrawOptions } from '../consent.js';
import { command, group } from '../terminal/command.js';
import { asOption, idOf } from '../terminal/options.js';

export const consentCommand = (): Command =>
  group(
    'consent',
    'people’s consents to agents',
    command('consent list', 'which consents are in force, newest first', '--user rosa.lind')
      .option('--agent <name>', 'those to this agent')
      .option('--user <name>', 'those of this person')
      .option('--all', 'withdrawn, replaced and expired ones too')
      .action(async (options: ListOptions) => (await import('../consent.js')).list(options)),
    command(
      'consent withdraw',
      'take consents back, and end the person’s delegations to the agent under the same role',
      '01JD8Z0Q6Y3V5W7X9ABCDEFGHJ --as admin',
      '--agent helpdesk-assistant --as admin',
    )
      .argument('[id]', 'the consent’s id', idOf)
      .option('--agent <name>', 'all to this agent')
      .option('--user <name>', 'all of this person')
      .option(...asOption)
      .action(async (id: string | undefined, options: WithdrawOptions) =>
        (await import('../consent.js')).withdraw(id, options),
      ),
  );
