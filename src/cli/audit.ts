import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { outcomes, recordKinds, type AuditBody } from '../audit/record.js';
import { errorCodes } from '../core/errors.js';
import type { Database } from '../store/sql/database.js';
import { withDatabase } from './operator/with-database.js';
import { command, group, type JsonOption } from './terminal/command.js';
import { CommandError } from '../core/command-error.js';
import { idOf, momentOf, oneOf, positiveNumber, sinceOption } from './terminal/options.js';
import { note, print } from './terminal/output.js';
import {
  conditionOf,
  countUnnamed,
  Follower,
  newestRecords,
  type RecordFilter,
} from './trail/find-records.js';
import { recordLine } from './trail/record-line.js';
import { resourceOf } from './trail/resource-option.js';

interface SearchOptions extends JsonOption, RecordFilter {
  readonly limit: number;
}
interface TailOptions extends SearchOptions {
  readonly follow?: boolean;
}

const pollMs = 500;

export const auditCommand = (): Command =>
  group(
    'audit',
    'what was done, by whom, on whose behalf',
    filtered(
      command('audit tail', 'the latest records', '--follow', '--agent helpdesk-assistant --outcome refused'),
      20,
    )
      .option('-f, --follow', 'go on with what is recorded from now on')
      .action(tail),
    filtered(
      command(
        'audit search',
        'records that fit, the newest last',
        '--person rosa.lind --since 2h',
        '--resource Invoice:01J… --json',
      ),
      100,
    ).action(search),
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
    .option('--resource <type:id>', 'what touched this row', resourceOf)
    .option('-n, --limit <count>', 'how many at most', positiveNumber, limit);

/** JSON: one record a line, in the stored form, with the values reduced. */
const tell = (bodies: readonly AuditBody[], { json }: JsonOption): void => {
  for (const body of bodies) print(json === true ? JSON.stringify(body) : recordLine(body));
};

async function search(options: SearchOptions): Promise<void> {
  const { found, unnamed } = await withDatabase(async (database) => ({
    found: await latest(database, options),
    unnamed: await countUnnamed(database.read, options.resource),
  }));
  tell(found, options);
  if (unnamed > 0) {
    note(
      `${String(unnamed)} records of an earlier version touched more rows of this type than they name: whether this row was among them is not known.`,
    );
  }
  if (found.length === options.limit) note('There may be more: narrow the search, or raise --limit.');
  if (found.length === 0 && process.stderr.isTTY) note('No record fits.');
}

async function latest(database: Database, options: SearchOptions): Promise<AuditBody[]> {
  const { since, until } = options;
  if (since !== undefined && until !== undefined && since >= until)
    throw new CommandError(`Nothing is from ${since} on and before ${until}: exchange --since and --until.`);
  return newestRecords(database.read, await conditionOf(database.read, options), options.limit);
}

async function tail(options: TailOptions): Promise<void> {
  await withDatabase(async (database) => {
    const startedAt = Date.now();
    const first = await latest(database, options);
    tell(first, options);
    if (options.follow !== true) return;
    const follower = new Follower(await conditionOf(database.read, options), startedAt);
    // Records before the first look were left out because of --limit.
    follower.skip(await follower.look(database.read));
    follower.skip(first);
    for (;;) {
      await sleep(pollMs);
      tell(await follower.look(database.read), options);
    }
  });
}
