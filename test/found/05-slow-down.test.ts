import { describe, expect, test } from 'vitest';
import { PasswordChecks, TooManyChecks } from '../../src/oauth/throttling/password-checks.js';
import { SlowDown } from '../../src/oauth/throttling/slow-down.js';

const make = (keysMax?: number) => {
  const clock = { ms: 0, now: () => clock.ms };
  const slow = new SlowDown(clock, { attempts: 2, windowSeconds: 20 }, keysMax);
  const fail = (key: string, times: number): void => {
    for (let sent = 0; sent < times; sent += 1) slow.count(key, 'attacker');
  };
  return { clock, slow, fail };
};

describe('05 too many failures slow down and close nothing', () => {
  test('some are free, then the delay grows to two seconds; each key has its own', () => {
    const { clock, slow, fail } = make();
    fail('a', 2);
    const waits: number[] = [];
    for (let sent = 0; sent < 7; sent += 1) {
      const wait = slow.waitSeconds('a', 'attacker');
      waits.push(wait);
      clock.ms += wait * 1000;
      expect(slow.waitSeconds('a', 'attacker')).toBe(0);
      slow.count('a', 'attacker');
    }
    expect(waits).toEqual([0, 1, 2, 2, 2, 2, 2]);
    expect(slow.waitSeconds('b', 'attacker')).toBe(0);
  });

  test('who was told when to come gets in then, whoever else tries meanwhile, and at the latest after 30 seconds', () => {
    const { clock, slow, fail } = make();
    fail('a', 12);
    for (let other = 0; other < 14; other += 1) slow.waitSeconds('a', `other ${String(other)}`);
    const wait = slow.waitSeconds('a', 'person');
    expect(wait).toBeLessThanOrEqual(30);
    for (let ms = 0; ms < wait * 1000; ms += 100) {
      clock.ms += 100;
      for (let other = 0; other < 20; other += 1) {
        if (slow.waitSeconds('a', `other ${String(other)}`) === 0) slow.count('a', `other ${String(other)}`);
      }
    }
    expect(slow.waitSeconds('a', 'person')).toBe(0);
  });

  test('however many try, and from however many places, one attempt is let in every two seconds', () => {
    const { clock, slow, fail } = make();
    fail('a', 12);
    let letIn = 0;
    for (let second = 0; second < 600; second += 1) {
      for (let one = 0; one < 50; one += 1) {
        const who = `one ${String((second * 50 + one) % 997)}`;
        if (slow.waitSeconds('a', who) > 0) continue;
        slow.count('a', who);
        letIn += 1;
      }
      clock.ms += 1000;
    }
    expect(letIn).toBeGreaterThan(0);
    expect(letIn).toBeLessThanOrEqual(600 / 2 + 15);
  });

  test('failures are forgotten with time, and good attempts do not count', () => {
    const { clock, slow, fail } = make();
    fail('a', 4);
    expect(slow.waitSeconds('a', 'person')).toBeGreaterThan(0);
    clock.ms += 200_000;
    fail('a', 2);
    expect(slow.waitSeconds('a', 'person')).toBe(0);
    for (let round = 0; round < 50; round += 1) {
      slow.count('b', 'person');
      slow.forgive('b');
    }
    expect(slow.waitSeconds('b', 'person')).toBe(0);
  });

  test('memory is bounded: the key that was used the longest ago is forgotten', () => {
    const { slow, fail } = make(2);
    fail('a', 9);
    fail('b', 9);
    slow.waitSeconds('a', 'person');
    fail('c', 9);
    expect(slow.waitSeconds('b', 'person')).toBe(0);
    expect(slow.waitSeconds('a', 'person')).toBeGreaterThan(0);
  });
});

describe('05 a flood of guesses has few passwords checked at once', () => {
  test('two at a time, who is known before strangers, and strangers beyond a bound not at all', async () => {
    const checks = new PasswordChecks();
    const ended: string[] = [];
    const running: (() => void)[] = [];
    let mostAtOnce = 0;
    const start = (name: string, isKnown: boolean): Promise<void> =>
      checks.run(isKnown, async () => {
        await new Promise<void>((resolve) => running.push(resolve));
        ended.push(name);
      });
    const all = [
      ...Array.from({ length: 60 }, (_, n) => start(`stranger ${String(n)}`, false)),
      start('person', true),
    ];
    const settled = Promise.allSettled(all);
    while (ended.length < 53) {
      mostAtOnce = Math.max(mostAtOnce, running.length);
      running.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const results = await settled;
    expect(mostAtOnce).toBe(2);
    expect(ended.indexOf('person')).toBeLessThanOrEqual(2);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(8);
    for (const { reason } of refused) expect(reason).toBeInstanceOf(TooManyChecks);
    expect(await checks.run(false, () => Promise.resolve('later'))).toBe('later');
  });

  test('a check that fails gives its place back', async () => {
    const checks = new PasswordChecks();
    for (let sent = 0; sent < 5; sent += 1) {
      await expect(checks.run(false, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    }
    expect(await checks.run(false, () => Promise.resolve('yes'))).toBe('yes');
  });
});
