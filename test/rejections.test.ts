import { expect, test } from 'vitest';
import type { AuditBody } from '../src/audit/record.js';
import { makeLogger } from '../src/core/logger.js';
import type { CommitGate, Finished } from '../src/delegation/commit-gate.js';
import { Rejections } from '../src/operation/rejections.js';

test('each request is in a record, also of an address that pushes out another and comes twice at once', async () => {
  const records: AuditBody[] = [];
  const commitGate = {
    release: async ({ record }: Finished) => {
      await Promise.resolve();
      records.push(record(undefined));
    },
  } as unknown as CommitGate;
  const rejections = new Rejections(commitGate, { now: () => 0 }, { next: () => 'id' }, makeLogger('silent'));
  for (let n = 0; n < 10_000; n += 1)
    await rejections.count(`10.0.${String(n >> 8)}.${String(n & 255)}`, 'UNAUTHENTICATED');
  const counts = [1, 2].map(() => rejections.count('192.0.2.1', 'UNAUTHENTICATED'));
  await counts[0];
  await rejections.count('192.0.2.1', 'UNAUTHENTICATED');
  await Promise.all(counts);
  expect(rejections.tallied.size).toBe(10_000);
  await rejections.flush();
  const mine = records.filter(({ source }) => source.address === '192.0.2.1');
  const requests = mine.map(({ detail }) => (detail.requests as Record<string, number>).UNAUTHENTICATED ?? 0);
  expect(requests.reduce((sum, one) => sum + one, 0)).toBe(3);
  expect(mine).toHaveLength(2);
});
