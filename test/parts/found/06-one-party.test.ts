// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { recordsOf } from '../../support/records.js';
import { TestServer } from '../../support/server.js';

describe('06 a caller who spells the address anew each time is counted and recorded as one', () => {
  let server: TestServer;
  beforeAll(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T12:00:00.000Z') });
    server = await TestServer.start({}, { BEHALF_TRUSTED_PROXIES: '1' });
  });
  afterAll(async () => {
    await server.stop();
    vi.useRealTimers();
  });

  const knock = async (headers: Record<string, string>): Promise<number> =>
    (await server.post('x'.repeat(43), '{"query":"{ __typename }"}', headers)).status;

  test.each<[string, (n: number) => Record<string, string>]>([
    ['203.0.113.9', (n) => ({ 'x-forwarded-for': `203.0.113.9:${String(1024 + n)}` })],
    ['203.0.113.10', (n) => ({ 'x-forwarded-for': n % 2 === 0 ? '::ffff:cb00:710a' : '203.0.113.10' })],
    [
      '2001:db8:1:2::/64',
      (n) => ({ 'x-forwarded-for': `[2001:DB8:1:2::${n.toString(16)}]:${String(n + 1)}` }),
    ],
    ['2001:db8:1:3::/64', (n) => ({ forwarded: `for="[2001:0db8:1:3:0:0:0:${n.toString(16)}]:5678"` })],
  ])('%s', async (party, headersOf) => {
    for (let n = 0; n < 120; n += 1) expect(await knock(headersOf(n))).toBe(401);
    expect(await knock(headersOf(120))).toBe(429);
    expect(await knock({ 'x-forwarded-for': '198.51.100.7' })).toBe(401);
    const records = await recordsOf(server.database, 'rejected');
    expect(records.filter(({ source }) => source.address === party)).toHaveLength(1);
  });
});
