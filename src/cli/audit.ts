import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditBody } from '../audit/record.js';
import type { Database } from '../store/sql/database.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { CommandError } from '../core/command-error.js';
import { note, print } from './terminal/output.js';
import {
  conditionOf,
  countUnnamed,
  Follower,
  newestRecords,
  type RecordFilter,
} from './trail/find-records.js';
import { recordLine } from './trail/record-line.js';

export interface SearchOptions extends JsonOption, RecordFilter {
  readonly limit: number;
}
export interface TailOptions extends SearchOptions {
  readonly follow?: boolean;
}

const pollMs = 500;

/** JSON: one record a line, in the stored form, with the values reduced. */
const tell = (bodies: readonly AuditBody[], { json }: JsonOption): void => {
  for (const body of bodies) print(json === true ? JSON.stringify(body) : recordLine(body));
};

/** `behalf audit search` */
export async function search(options: SearchOptions): Promise<void> {
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

/** `behalf audit tail` */
export async function tail(options: TailOptions): Promise<void> {
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
