import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CacheState } from './lru.js';

/** The state of a cache, with `hits` and `misses` where it counts them. */
export interface MeasuredCache extends CacheState {
  readonly hits?: number;
  readonly misses?: number;
}

/** The values that the gauges read at each scrape. Nothing is maintained in between. */
export interface State {
  /** Operations that are running, and those that are waiting to run. */
  admission(): { readonly running: number; readonly waiting: number };
  /** Records that are waiting for their commit. */
  recordsWaiting(): number;
  /** Records that waited for the index when the indexer last looked. */
  recordsUnindexed(): number;
  passagesOutdated(): number;
  /** How often each job has failed since it last succeeded. */
  chores(): ReadonlyMap<string, number>;
  /** Connections to MySQL; undefined on SQLite. */
  pool(): { readonly used: number; readonly free: number; readonly waiting: number } | undefined;
  caches(): Readonly<Record<string, MeasuredCache>>;
}

/** A finished operation. Its texts come from small closed sets, because they become labels. */
interface MeasuredOperation {
  /** `query`, `mutation`, or `none` where the request named no operation. */
  readonly type: string;
  readonly outcome: string;
  /** The first error's code, or `none`. */
  readonly code: string;
  readonly seconds: number;
  readonly refusals: readonly { readonly reason?: string; readonly layer?: string }[];
}

/** Why a request was rejected before it became an operation. */
export type Rejection = 'unauthenticated' | 'queue_full' | 'client_gone';

/** Bounds in seconds: from an operation whose every look-up is cached to one that nobody waits for. */
const operationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const statementBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5];
const batchBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000];

/**
 * The server's metrics, in a registry of their own. Labels come from closed sets, never from a request. A
 * counter costs one addition per operation; a gauge costs nothing until it is read.
 */
export class Metrics {
  readonly registry = new Registry();
  private state: State | undefined;
  private readonly of = { registers: [this.registry] };

  private readonly operations = new Counter({
    ...this.of,
    name: 'behalf_operations_total',
    help: 'Operations that are done and recorded, by type, outcome and the first error’s code.',
    labelNames: ['type', 'outcome', 'code'],
  });
  private readonly operationSeconds = new Histogram({
    ...this.of,
    name: 'behalf_operation_duration_seconds',
    help: 'From the arrival of a request to its durable record.',
    labelNames: ['type'],
    buckets: operationBuckets,
  });
  private readonly decisions = new Counter({
    ...this.of,
    name: 'behalf_decisions_total',
    help: 'Operations of which nothing was refused (`allow`), and refused coordinates (`deny`) by reason and layer.',
    labelNames: ['decision', 'reason', 'layer'],
  });
  private readonly rejections = new Counter({
    ...this.of,
    name: 'behalf_requests_rejected_total',
    help: 'Requests that got no operation, by reason: `unauthenticated`, `queue_full`, `client_gone`.',
    labelNames: ['reason'],
  });
  private readonly commitSeconds = new Histogram({
    ...this.of,
    name: 'behalf_record_commit_duration_seconds',
    help: 'Commits of records of reads: one transaction for all that waited.',
    buckets: statementBuckets,
  });
  private readonly commitRecords = new Histogram({
    ...this.of,
    name: 'behalf_record_commit_records',
    help: 'Records in one such commit.',
    buckets: batchBuckets,
  });
  private readonly epochSeconds = new Histogram({
    ...this.of,
    name: 'behalf_epoch_read_duration_seconds',
    help: 'Reads of the authority’s version: one for all that wait.',
    buckets: statementBuckets,
  });
  /** Keyed by what they count, so that no label object is built for each operation. */
  private readonly counters = new Map<string, { inc(): void }>();
  private readonly seconds = new Map<string, { observe(seconds: number): void }>();
  private readonly allowed = this.decisions.labels('allow', 'none', 'none');

  constructor(version: string) {
    new Gauge({
      ...this.of,
      name: 'behalf_build_info',
      help: 'Always 1; the labels say what runs.',
      labelNames: ['version', 'node'],
    }).set({ version, node: process.versions.node }, 1);
    this.gauge(
      'behalf_operations_running',
      'Operations that run now.',
      () => this.state?.admission().running,
    );
    this.gauge(
      'behalf_operations_waiting',
      'Operations that wait to run: the admission queue.',
      () => this.state?.admission().waiting,
    );
    this.gauge('behalf_records_waiting', 'Records that wait for their commit.', () =>
      this.state?.recordsWaiting(),
    );
    this.gauge(
      'behalf_records_unindexed',
      'Durable records that are in no index yet, at the last look. Searches find them.',
      () => this.state?.recordsUnindexed(),
    );
    this.gauge(
      'behalf_passages_outdated',
      'Passages that older rules made and this server makes anew, at the last look. Searches find them by their old words.',
      () => this.state?.passagesOutdated(),
    );
    this.choreGauge();
    this.poolGauge();
    this.cacheMetrics();
    collectDefaultMetrics({ register: this.registry });
  }

  /** Sets the source of the gauges. */
  watch(state: State): void {
    this.state = state;
  }

  operation({ type, outcome, code, seconds, refusals }: MeasuredOperation): void {
    this.counter(`operation ${type} ${outcome} ${code}`, () =>
      this.operations.labels(type, outcome, code),
    ).inc();
    const known = this.seconds.get(type);
    const observed = known ?? this.operationSeconds.labels(type);
    if (known === undefined) this.seconds.set(type, observed);
    observed.observe(seconds);
    if (refusals.length === 0) this.allowed.inc();
    for (const { reason = 'none', layer = 'none' } of refusals) {
      this.counter(`deny ${reason} ${layer}`, () => this.decisions.labels('deny', reason, layer)).inc();
    }
  }

  rejected(reason: Rejection): void {
    this.counter(`rejected ${reason}`, () => this.rejections.labels(reason)).inc();
  }

  readonly committed = (seconds: number, records: number): void => {
    this.commitSeconds.observe(seconds);
    this.commitRecords.observe(records);
  };

  readonly epochRead = (seconds: number): void => {
    this.epochSeconds.observe(seconds);
  };

  private counter(key: string, make: () => { inc(): void }): { inc(): void } {
    const known = this.counters.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.counters.set(key, made);
    return made;
  }

  private gauge(name: string, help: string, read: () => number | undefined): void {
    new Gauge({
      ...this.of,
      name,
      help,
      collect() {
        this.set(read() ?? 0);
      },
    });
  }

  private choreGauge(): void {
    const chores = () => this.state?.chores() ?? new Map<string, number>();
    new Gauge({
      ...this.of,
      name: 'behalf_chore_failures',
      help: 'How often each job beside the requests has failed since it last succeeded. Each failure doubles its pause, up to ten minutes.',
      labelNames: ['chore'],
      collect() {
        for (const [chore, failures] of chores()) this.set({ chore }, failures);
      },
    });
  }

  private poolGauge(): void {
    const pool = () => this.state?.pool();
    new Gauge({
      ...this.of,
      name: 'behalf_database_connections',
      help: 'Connections to MySQL that are used and free, and statements that wait for one. Empty on SQLite.',
      labelNames: ['state'],
      collect() {
        for (const [state, count] of Object.entries(pool() ?? {})) this.set({ state }, count);
      },
    });
  }

  private cacheMetrics(): void {
    const caches = () => Object.entries(this.state?.caches() ?? {});
    new Gauge({
      ...this.of,
      name: 'behalf_cache_entries',
      help: 'Entries of each cache.',
      labelNames: ['cache'],
      collect() {
        for (const [cache, { size }] of caches()) this.set({ cache }, size);
      },
    });
    new Gauge({
      ...this.of,
      name: 'behalf_cache_used_ratio',
      help: 'How full each cache is: at 1, what was used the longest ago makes room. Whatever callers send, none is fuller.',
      labelNames: ['cache'],
      collect() {
        for (const [cache, { weight, max }] of caches()) this.set({ cache }, weight / max);
      },
    });
    new Counter({
      ...this.of,
      name: 'behalf_cache_requests_total',
      help: 'Look-ups in the caches that count them, by result: `hit`, `miss`.',
      labelNames: ['cache', 'result'],
      collect() {
        this.reset();
        for (const [cache, { hits, misses }] of caches()) {
          if (hits !== undefined) this.inc({ cache, result: 'hit' }, hits);
          if (misses !== undefined) this.inc({ cache, result: 'miss' }, misses);
        }
      },
    });
  }
}
