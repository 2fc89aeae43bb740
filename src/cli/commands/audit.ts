import type { Command } from 'commander';
import { outcomes, recordKinds } from '../../audit/record.js';
import { errorCodes } from '../../core/errors.js';
import type { SearchOptions, TailOptions } from '../audit.js';
import { command, group } from '../terminal/command.js';
import { idOf, momentOf, oneOf, positiveNumber, sinceOption } from '../terminal/options.js';
import { requireRowType, resourceOption } from '../trail/resource-option.js';

export const auditCommand = (): Command =>
  group(
    'audit',
    'what was done, by whom, on whose behalf',
    filtered(
      command('audit tail', 'the latest records', '--follow', '--agent helpdesk-assistant --outcome refused'),
      20,
    )
      .option('-f, --follow', 'go on with what is recorded from now on')
      .action(async (options: TailOptions) => (await import('../audit.js')).tail(options)),
    filtered(
      command(
        'audit search',
        'records that fit, the newest last',
        '--person rosa.lind --since 2h',
        '--resource Invoice:01J… --json',
      ),
      100,
    ).action(async (options: SearchOptions) => (await import('../audit.js')).search(options)),
  );

const filtered = (made: Command, limit: number): Command =>
  made
    .option(...sinceOption)
    .option('--until <time>', 'before this time', momentOf)
    .option('--person <name>', 'on behalf of this person')
    .option('--agent <name>', 'where this agent acted last')
    .option('--delegation <id>', 'under this delegation, or one that was handed on from it', idOf)
    .option('--task <task>', 'about exactly this task')
    .option('--outcome <outcome>', outcomes.join(', '), oneOf(outcomes))
    .option('--kind <kind>', recordKinds.join(', '), oneOf(recordKinds))
    .option('--operation-name <name>', 'the operation’s or the command’s name')
    .option('--error-code <code>', 'the first error’s code', oneOf(errorCodes))
    .option('--unregistered', 'whose document was not registered, where a role asks for that')
    .option(...resourceOption)
    .option('-n, --limit <count>', 'how many at most', positiveNumber, limit)
    .hook('preAction', requireRowType);
