import { describe, expect, test } from 'vitest';
import { GroupCommit } from '../src/audit/group-commit.js';
import type { Connection } from '../src/store/sql/connection.js';
import type { Database } from '../src/store/sql/database.js';

/** A database that keeps what was flushed, as far as the transaction did not throw. */
class Kept {
  readonly batches: string[][] = [];
  private pending: string[] = [];

  readonly database = {
    recording: async <T>(work: (tx: Connection) => Promise<T>): Promise<T> => {
      this.pending = [];
      const result = await work({} as Connection);
      this.batches.push(this.pending);
      return result;
    },
  } as unknown as Database;

  /** Commits items in groups; `fault` says which of them cannot be written, and why. */
  group(fault: (item: string) => unknown, queueMax?: number): GroupCommit<string, string> {
    return new GroupCommit(
      this.database,
      (_tx, items) => {
        for (const item of items) {
          const error = fault(item);
          if (error instanceof Error) return Promise.reject(error);
        }
        this.pending = [...items];
        return Promise.resolve(items.map((item) => `${item}!`));
      },
      queueMax,
    );
  }

  get items(): string[] {
    return this.batches.flat();
  }
}

const driverError = (code: string): Error => Object.assign(new Error(code), { driverError: { code } });

const outcomes = async (work: readonly Promise<string>[]): Promise<string[]> =>
  (await Promise.allSettled(work)).map((one) =>
    one.status === 'fulfilled' ? one.value : (one.reason as { code: string }).code,
  );

describe('a group of commits', () => {
  test('is one transaction for all that wait', async () => {
    const kept = new Kept();
    const group = kept.group(() => undefined);
    expect(await outcomes(['a', 'b', 'c', 'd'].map((item) => group.submit(item)))).toEqual([
      'a!',
      'b!',
      'c!',
      'd!',
    ]);
    expect(kept.batches).toEqual([['a', 'b', 'c', 'd']]);
  });

  test('takes along what comes while another is under way', async () => {
    const kept = new Kept();
    let later: Promise<string>[] = [];
    const group = kept.group((item) => {
      if (item === 'a') later = ['b', 'c', 'd'].map((one) => group.submit(one));
      return undefined;
    });
    expect(await group.submit('a')).toBe('a!');
    expect(await outcomes(later)).toEqual(['b!', 'c!', 'd!']);
    expect(kept.batches).toEqual([['a'], ['b', 'c', 'd']]);
  });

  test.each(['ER_DATA_TOO_LONG', 'ER_NET_PACKET_TOO_LARGE', 'SQLITE_TOOBIG', 'SQLITE_CONSTRAINT_TRIGGER'])(
    'loses only the one that the database refuses with %s',
    async (code) => {
      const kept = new Kept();
      const group = kept.group((item) => item === 'poison' && driverError(code));
      const work = ['a', 'b', 'poison', 'c', 'd'].map((item) => group.submit(item));
      expect(await outcomes(work)).toEqual(['a!', 'b!', 'AUDIT_UNAVAILABLE', 'c!', 'd!']);
      expect(kept.items).toEqual(['a', 'b', 'c', 'd']);
      expect(await group.submit('later')).toBe('later!');
    },
  );

  test('is given up at once where the database cannot be asked at all', async () => {
    const kept = new Kept();
    let attempts = 0;
    const group = kept.group(() => {
      attempts += 1;
      return driverError('PROTOCOL_CONNECTION_LOST');
    });
    const work = ['a', 'b', 'c'].map((item) => group.submit(item));
    expect(await outcomes(work)).toEqual(Array(3).fill('AUDIT_UNAVAILABLE'));
    expect([attempts, kept.items]).toEqual([1, []]);
  });

  test('refuses what its queue has no room for', async () => {
    const kept = new Kept();
    const group = kept.group(() => undefined, 2);
    const work = ['a', 'b', 'c', 'd'].map((item) => group.submit(item));
    expect(await outcomes(work)).toEqual(['a!', 'b!', 'AUDIT_UNAVAILABLE', 'AUDIT_UNAVAILABLE']);
  });
});
