import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWithinRoles, type Defined } from '../src/admin/role-comparison.js';
import { isInside, parseBoundary, type DimensionValues } from '../src/authority/boundary.js';

const scopes = ['x:read', 'y:read'];
const regions = ['a', 'b'];
const policies = ['any', 'logged', 'registered'];
const few = fc.constantFrom(1, 2);

const role: fc.Arbitrary<Defined> = fc
  .record({
    holder: fc.constantFrom('agent', 'person'),
    scopes: fc.subarray(scopes, { minLength: 1 }),
    asking: fc.subarray(scopes),
    boundary: fc.record({ region: fc.oneof(fc.constant('all' as const), fc.subarray(regions)) }),
    counted: fc.record({ operations: few, rows: few, expirySeconds: few, depth: few }),
    cost: fc.option(few, { nil: undefined }),
    documents: fc.constantFrom(...policies),
    signIn: fc.constant('any'),
  })
  .map(({ asking, counted, cost, ...made }) => ({
    ...made,
    approvalScopes: asking.filter((scope) => made.scopes.includes(scope)),
    limits: {
      ...(made.holder === 'agent' ? counted : { operations: 0, rows: 0, expirySeconds: 0, depth: 0 }),
      ...(cost !== undefined && { operationCost: cost }),
    },
  }));

/** Rows of a type with the dimension, and of one without. */
const places: DimensionValues[] = [...regions, 'z', null]
  .map((region): DimensionValues => new Map([['region', region]]))
  .concat(new Map());

/** 0: refused, 1: with approval, 2: allowed; as it is said in words, without the code that decides. */
function allows(held: readonly Defined[], scope: string, values: DimensionValues): number {
  const having = held.filter((one) => one.scopes.includes(scope));
  const free = having.filter((one) => !one.approvalScopes.includes(scope));
  const counting = free.length > 0 ? free : having;
  if (!counting.some((one) => isInside([parseBoundary(one.boundary)], values))) return 0;
  return free.length > 0 ? 2 : 1;
}

const cost = (one: Defined): number => one.limits.operationCost ?? Infinity;
const strictness = (one: Defined): number => policies.indexOf(one.documents);

/** Whether those who hold `held` may do all that those who hold `made` may. */
const isNoMore = (made: Defined, held: readonly Defined[]): boolean =>
  scopes.every((scope) =>
    places.every((values) => allows([made], scope, values) <= allows(held, scope, values)),
  ) &&
  cost(made) <= Math.max(...held.map(cost)) &&
  strictness(made) >= Math.max(...held.map(strictness)) &&
  (['operations', 'rows', 'expirySeconds', 'depth'] as const).every(
    (name) => made.limits[name] <= Math.max(...held.map((one) => one.limits[name])),
  );

/** Everything that can be held at once of what may be granted. */
function* holdings(made: Defined, mine: readonly Defined[]): Generator<Defined[]> {
  const alike = mine.filter((one) => one.holder === made.holder);
  for (let chosen = 1; chosen < 2 ** alike.length; chosen += 1) {
    const held = alike.filter((_, at) => (chosen & (1 << at)) !== 0);
    if (made.holder === 'person' || held.length === 1) yield held;
  }
}

const mine = fc.array(role, { maxLength: 3 });

describe('a role is within others', () => {
  test('only where some of them that one party may hold at once allow all of it', () => {
    let within = 0;
    fc.assert(
      fc.property(role, mine, (made, others) => {
        if (!isWithinRoles(made, others)) return;
        within += 1;
        expect([...holdings(made, others)].some((held) => isNoMore(made, held))).toBe(true);
      }),
      { numRuns: 5_000 },
    );
    expect(within).toBeGreaterThan(50);
  });

  test('if it is one of them, or is all that people’s roles of one policy come to', () => {
    fc.assert(
      fc.property(role, mine, (made, others) => {
        expect(isWithinRoles(made, [...others, made])).toBe(true);
      }),
    );
    const person = { holder: 'person', limits: { operations: 0, rows: 0, expirySeconds: 0, depth: 0 } };
    const one = {
      ...person,
      scopes: ['x:read'],
      approvalScopes: [],
      boundary: { region: ['a'] },
      signIn: 'any',
    };
    const [a, b] = [
      { ...one, documents: 'logged' },
      { ...one, boundary: { region: ['b'] }, documents: 'any' },
    ];
    const both = { ...one, boundary: { region: ['a', 'b'] } };
    expect(isWithinRoles({ ...both, documents: 'logged' }, [a, b])).toBe(true);
    expect(isWithinRoles({ ...both, documents: 'any' }, [a, b])).toBe(false);
    // A role that needs a passkey gives nothing to a sign-in without one.
    const strict = { ...b, signIn: 'passkey' };
    expect(isWithinRoles(b, [strict])).toBe(false);
    expect(isWithinRoles(strict, [b])).toBe(true);
    expect(isWithinRoles({ ...both, documents: 'logged', signIn: 'passkey' }, [a, strict])).toBe(true);
    expect(isWithinRoles({ ...both, documents: 'logged' }, [a, strict])).toBe(false);
  });

  test('never if there are none', () => {
    fc.assert(
      fc.property(role, (made) => {
        expect(isWithinRoles({ ...made, scopes: [], approvalScopes: [] }, [])).toBe(false);
      }),
    );
  });
});
