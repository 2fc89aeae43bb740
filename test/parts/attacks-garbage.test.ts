// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Target, withEach } from '../support/attacks.js';
import { bytesInUse } from '../support/memory.js';
import { corpusOf, garbage } from '../support/attacks-garbage.js';
import { volume } from '../support/volume.js';

const bodiesCount = volume(10_000);
const firstBodies = Math.min(1_000, bodiesCount / 2);
/** What the process may hold more after all of them than after the first of them; its caches are bounded. */
const growthBytesMax = 64_000_000;

let target: Target;
beforeAll(async () => {
  target = await Target.start();
});
afterAll(() => target.stop());

test('the check itself sees what an answer must not say', () => {
  const answer = (message: string): string =>
    JSON.stringify({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT', operationId: 'x' } }] });
  const said = (message: string): string[] => target.learned(answer(message), '{ x }');
  expect(said('Cannot query field "x" on type "Query". Did you mean "payments"?')).toEqual(['payments']);
  expect(said('The argument creditLimitAtLeast is of type RefundConnection')).toContain('RefundConnection');
  expect(said('SELECT id FROM customers')).toEqual(['SELECT']);
  expect(said('Error at Object.<anonymous> (/srv/app/src/app.ts:1:1)')).not.toEqual([]);
  expect(target.learned('{"data":{"customers":{"nodes":[{"name":"Canary Ltd"}]}}}', '{ x }')).toEqual([
    'Canary',
  ]);
  expect(said('Cannot query field "x" on type "Query".')).toEqual([]);
  expect(() => target.learned(answer('x').replace('BAD_USER_INPUT', 'INTERNAL'), '')).toThrow();
});

test(
  `${bodiesCount.toLocaleString('en')} bodies of garbage: each gets its answer, none learns anything, and the honest are served`,
  { timeout: 900_000 },
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const bodies = fc.sample(garbage(corpusOf(target.view)), { numRuns: bodiesCount, seed });
    const statuses = new Map<number, number>();
    const sendAll = async (some: readonly (string | Uint8Array)[]): Promise<void> => {
      await withEach(some, 16, async (body) => {
        const reply = await target.send({ body });
        const sent = typeof body === 'string' ? body : Buffer.from(body).toString('latin1');
        target.expectNothingLearned(reply, sent);
        statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
        expect(reply.headers['behalf-operation-id'], sent).toMatch(/^[0-9A-Z]{26}$/);
      });
    };
    await target.whileHonest(sendAll(bodies.slice(0, firstBodies)));
    const before = bytesInUse();
    await target.whileHonest(sendAll(bodies.slice(firstBodies)));
    expect(bytesInUse() - before, `seed ${String(seed)}`).toBeLessThan(growthBytesMax);
    // Not all of it is turned away at the door.
    expect(statuses.get(200)).toBeGreaterThan(bodiesCount / 50);
    expect(statuses.get(400)).toBeGreaterThan(bodiesCount / 2);
  },
);
