import { emptyBody, type AuditBody } from '../audit/record.js';
import { isoTime, type Clock } from '../core/clock.js';
import type { ErrorCode } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import type { Logger } from '../core/logger.js';
import { Lru, type CacheState } from '../core/lru.js';
import { clientKeyOf } from '../core/client-address.js';
import type { CommitGate } from '../delegation/commit-gate.js';

const windowMs = 60_000;
const addressesMax = 10_000;
/** Requests without a valid token that one address may make in a window before it has to wait. */
const perWindowMax = 120;

interface Tally {
  readonly address: string;
  readonly since: number;
  count: number;
  readonly codes: Map<ErrorCode, number>;
}

/**
 * Requests without a known caller: counted for each address, slowed down, and recorded in aggregate, so that garbage
 * can neither fill the log nor pass unnoticed. The first of a window is recorded at once, the others in one record.
 */
export class Rejections {
  private readonly tallies = new Lru<string, Tally>(addressesMax, (dropped) => {
    this.later(this.recordIfCounted(dropped));
  });
  private readonly noting = new Set<Promise<unknown>>();

  constructor(
    private readonly commitGate: CommitGate,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: Logger,
    private readonly onCounted: () => void = () => undefined,
  ) {}

  get tallied(): CacheState {
    return this.tallies;
  }

  /** Seconds that this address has to wait; 0 where it need not wait. */
  waitSeconds(address: string): number {
    const tally = this.tallies.get(clientKeyOf(address));
    const now = this.clock.now();
    if (tally === undefined || now - tally.since >= windowMs || tally.count < perWindowMax) return 0;
    return Math.ceil((tally.since + windowMs - now) / 1000);
  }

  /** As `count`, without waiting for the record; `flush` waits for it. */
  note(from: string, code: ErrorCode): void {
    this.later(this.count(from, code));
  }

  /** @param record false for a request that already has a record of its own */
  async count(from: string, code: ErrorCode, record = true): Promise<void> {
    this.onCounted();
    const address = clientKeyOf(from);
    const now = this.clock.now();
    const tally = this.tallies.get(address);
    if (tally !== undefined && now - tally.since < windowMs) {
      tally.count += 1;
      if (record || tally.count > perWindowMax) tally.codes.set(code, (tally.codes.get(code) ?? 0) + 1);
      return;
    }
    this.tallies.set(address, { address, since: now, count: 1, codes: new Map() });
    if (tally !== undefined) await this.recordIfCounted(tally);
    if (record) await this.record({ address, since: now, count: 1, codes: new Map([[code, 1]]) });
  }

  /** Writes the counts of windows that are over: the address may never come back. */
  async recordDue(): Promise<void> {
    const now = this.clock.now();
    await this.close((tally) => now - tally.since >= windowMs);
  }

  /** Writes all counts that have no record yet; called at the end. */
  async flush(): Promise<void> {
    await Promise.all(this.noting);
    await this.close(() => true);
  }

  private async close(isOver: (tally: Tally) => boolean): Promise<void> {
    for (const tally of [...this.tallies.values()].filter(isOver)) {
      // A later window of the address may have replaced it, and recorded it, while another one was written.
      if (this.tallies.get(tally.address) !== tally) continue;
      this.tallies.delete(tally.address);
      await this.recordIfCounted(tally);
    }
  }

  /** Goes on without waiting; `flush` waits. */
  private later(work: Promise<void>): void {
    const noted = work
      .catch((error: unknown) => {
        this.logger.error({ err: error }, 'refused requests could not be recorded');
      })
      .finally(() => this.noting.delete(noted));
    this.noting.add(noted);
  }

  private async recordIfCounted(tally: Tally): Promise<void> {
    if (tally.codes.size > 0) await this.record(tally);
  }

  private async record({ address, since, codes }: Tally): Promise<void> {
    const body: AuditBody = {
      operationId: this.ids.next(),
      at: isoTime(since),
      kind: 'rejected',
      outcome: 'refused',
      ...emptyBody,
      errors: [...codes.keys()].map((code) => ({ code })),
      source: { address, userAgent: null },
      detail: { requests: Object.fromEntries(codes) },
    };
    const look = (): Promise<never> => Promise.reject(new Error('Nobody was recognised.'));
    await this.commitGate.release({ authority: undefined, look, rows: 0, record: () => body });
  }
}
