import type { Outbox } from '../audit/outbox/outbox.js';
import type { BackgroundJobs } from '../core/background-jobs.js';
import type { Clock } from '../core/clock.js';
import { deleteExpiredIdempotencyKeys } from '../delegation/expired-idempotency-keys.js';
import type { PassageRenewal } from '../domains/knowledge/passage-renewal.js';
import type { TableWatch } from '../domains/declared/table-watch.js';
import { mergeSearchIndex } from '../domains/knowledge/search-index.js';
import type { Rejections } from '../operation/rejections.js';
import type { OAuth } from '../oauth/server.js';
import type { Database } from '../store/sql/database.js';

/** Pauses between two runs of a job; tests set their own. */
export interface JobPauses {
  /** Of the outbox, which indexes records. */
  readonly indexEveryMs?: number;
  /** Of the job that merges the search index. */
  readonly mergeEveryMs?: number;
  /** Of the job that renews passages made by older rules. */
  readonly renewEveryMs?: number;
  /** Of the job that records refused requests, which are only counted until then. */
  readonly tallyEveryMs?: number;
  /** Of the job that looks whether a company's tables have changed. */
  readonly watchEveryMs?: number;
}

interface JobParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly oauth: OAuth;
  readonly outbox: Outbox;
  readonly renewal: PassageRenewal;
  readonly tallies: readonly Rejections[];
  /** Undefined where only tables of ours are served. */
  readonly watch: TableWatch | undefined;
}

/**
 * Starts what a server does beside its requests. Expired rows are refused anyway: deleting them only keeps the tables
 * small.
 */
export function startBackgroundJobs(jobs: BackgroundJobs, parts: JobParts, pauses: JobPauses): void {
  const { database, clock, oauth, outbox, renewal, tallies, watch } = parts;
  const { indexEveryMs = 2_000, mergeEveryMs = tenMinutesMs, tallyEveryMs = 60_000 } = pauses;
  const { renewEveryMs = 10_000, watchEveryMs = 10_000 } = pauses;
  jobs.start(
    'expired_tokens',
    tenMinutesMs,
    (signal) => oauth.purgeExpired(signal),
    'expired tokens could not be deleted',
  );
  jobs.start(
    'old_keys',
    hourMs,
    (signal) => deleteExpiredIdempotencyKeys({ database, clock }, signal),
    'old idempotency keys could not be deleted',
  );
  jobs.start('record_index', indexEveryMs, (signal) => outbox.run(signal), 'records could not be indexed');
  jobs.start('passages', renewEveryMs, (signal) => renewal.run(signal), 'passages could not be made anew');
  jobs.start(
    'search_index',
    mergeEveryMs,
    (signal) => mergeSearchIndex(database, signal),
    'the search index could not be merged',
  );
  jobs.start(
    'refused_requests',
    tallyEveryMs,
    () => Promise.all(tallies.map((tally) => tally.recordDue())),
    'refused requests could not be recorded',
  );
  if (watch !== undefined)
    jobs.start('company_tables', watchEveryMs, () => watch.look(), 'the tables could not be looked at');
}

const tenMinutesMs = 600_000;
const hourMs = 3_600_000;
