import { emptyBody, type AuditBody } from '../audit/record.js';
import { isoTime, type Clock } from '../core/clock.js';
import type { ErrorCode } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import type { Logger } from '../core/logger.js';
import type { CacheState } from '../core/lru.js';
import { clientKeyOf } from '../core/client-address.js';
import type { CommitGate } from '../delegation/commit-gate.js';

const windowMs = 60_000;
const addressesMax = 10_000;
/** Requests without a valid token that one address may make in a window before it has to wait. */
const perWindowMax = 120;

interface Tally {
  readonly since: number;
  count: number;
  readonly codes: Map<ErrorCode, number>;
}

/**
 * Requests without a known caller: counted for each address, slowed down, and recorded in aggregate, so that garbage
 * can neither fill the log nor pass unnoticed. The first of a window is recorded at once, the others in one record.
 */
export class Rejections {
  private readonly tallies = new Map<string, Tally>();
  private readonly noting = new Set<Promise<unknown>>();

  constructor(
    private readonly commitGate: CommitGate,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: Logger,
    private readonly onCounted: () => void = () => undefined,
  ) {}

  get tallied(): CacheState {
    const { size } = this.tallies;
    return { size, weight: size, max: addressesMax };
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
    const noted = this.count(from, code)
      .catch((error: unknown) => {
        this.logger.error({ err: error }, 'refused requests could not be recorded');
      })
      .finally(() => this.noting.delete(noted));
    this.noting.add(noted);
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
    this.tallies.delete(address);
    this.tallies.set(address, { since: now, count: 1, codes: new Map() });
    // The new tally comes first, so that requests of this address count in it while the oldest is recorded.
    if (this.tallies.size > addressesMax) await this.dropOldest();
    if (tally !== undefined && tally.codes.size > 0) await this.record(address, tally);
    if (record) await this.record(address, { since: now, count: 1, codes: new Map([[code, 1]]) });
  }

  /** Writes the counts of windows that are over: the address may never come back. */
  async recordDue(): Promise<void> {
    const now = this.clock.now();
    for (const [address, tally] of this.tallies) {
      if (now - tally.since < windowMs) continue;
      this.tallies.delete(address);
      if (tally.codes.size > 0) await this.record(address, tally);
    }
  }

  /** Writes all counts that have no record yet; called at the end. */
  async flush(): Promise<void> {
    await Promise.all(this.noting);
    for (const [address, tally] of this.tallies) if (tally.codes.size > 0) await this.record(address, tally);
    this.tallies.clear();
  }

  private async dropOldest(): Promise<void> {
    const [oldest] = this.tallies;
    if (oldest === undefined) return;
    const [address, tally] = oldest;
    this.tallies.delete(address);
    if (tally.codes.size > 0) await this.record(address, tally);
  }

  private async record(address: string, tally: Tally): Promise<void> {
    const body: AuditBody = {
      operationId: this.ids.next(),
      at: isoTime(tally.since),
      kind: 'rejected',
      outcome: 'refused',
      ...emptyBody,
      errors: [...tally.codes.keys()].map((code) => ({ code })),
      source: { address, userAgent: null },
      detail: { requests: Object.fromEntries(tally.codes) },
    };
    const look = (): Promise<never> => Promise.reject(new Error('Nobody was recognised.'));
    await this.commitGate.release({ authority: undefined, look, rows: 0, record: () => body });
  }
}
