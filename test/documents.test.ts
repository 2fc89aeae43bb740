import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Authority, type AuthorityInput } from '../src/authority/authority.js';
import { largestCost, leastCost } from '../src/authority/cost.js';
import { parsePolicy, rulesOf, strictest } from '../src/authority/documents.js';

const authority = (more: Partial<AuthorityInput>): Authority =>
  new Authority({
    chain: { person: { id: 'p', name: 'p', displayName: 'P' }, agents: [] },
    task: undefined,
    tokenId: 't',
    expiresAt: 0,
    version: 1,
    layers: [],
    tokenScopes: new Set(),
    ceiling: new Set(),
    ...more,
  });
const under = (...policies: string[]): Authority =>
  authority({
    documentRules: rulesOf(
      'agent',
      policies.map((documents) => ({ name: 'r', documents })),
    ),
  });

describe('which documents a chain runs', () => {
  test.each([
    [[], 'any'],
    [['any', 'any'], 'any'],
    [['any', 'logged'], 'logged'],
    [['registered', 'logged', 'any'], 'registered'],
  ])('of roles with %j it is %s', (policies, expected) => {
    expect(under(...policies).documents).toBe(expected);
  });

  test('a policy that nobody knows is the strictest', () => {
    expect(parsePolicy('everything')).toBe('registered');
  });

  test('one more role never makes it freer', () => {
    const policy = fc.constantFrom('any', 'logged', 'registered');
    fc.assert(
      fc.property(fc.array(policy), policy, (held, another) => {
        const strictness = (all: string[]) =>
          ['any', 'logged', 'registered'].indexOf(
            strictest(
              rulesOf(
                'person',
                all.map((documents) => ({ name: 'r', documents })),
              ),
            ),
          );
        return strictness([...held, another]) >= strictness(held);
      }),
    );
  });

  test('what a free chain began is not within a stricter one, and the other way round it is', () => {
    expect(under('any').isWithin(under('registered'))).toBe(false);
    expect(under('registered').isWithin(under('logged'))).toBe(true);
  });
});

describe('what one operation may cost', () => {
  test('a chain has the least of all, a person the largest of their roles', () => {
    expect(leastCost([undefined, 7, 5])).toBe(5);
    expect(leastCost([undefined])).toBeUndefined();
    expect(largestCost([7, 5])).toBe(7);
    expect(largestCost([7, undefined])).toBeUndefined();
    expect(largestCost([])).toBeUndefined();
  });

  test('a smaller budget is a right that was lost', () => {
    expect(authority({ costMax: 7 }).isWithin(authority({ costMax: 5 }))).toBe(false);
    expect(authority({}).isWithin(authority({ costMax: 5 }))).toBe(false);
    expect(authority({ costMax: 5 }).isWithin(authority({}))).toBe(true);
  });
});
