import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shippedRoles } from '../src/admin/shipped-roles.js';
import {
  isInside,
  parseBoundary,
  type Boundaries,
  type Boundary,
  type DimensionValues,
  type ValueSet,
} from '../src/authority/boundary.js';
import type { Rights } from '../src/authority/rights.js';
import { BehalfError } from '../src/core/errors.js';
import { narrow, narrowLimits, type Ceiling, type Narrowed } from '../src/delegation/narrow-delegation.js';

const dimensions = ['region', 'collection'];
const values = ['a', 'b', 'c'];
const scopes = ['x:read', 'y:read', 'z:write'];

const set: fc.Arbitrary<ValueSet> = fc.oneof(
  fc.constant<ValueSet>('all'),
  fc.subarray(values, { minLength: 1 }).map((chosen) => new Set(chosen)),
);
const boundary: fc.Arbitrary<Boundary> = fc
  .tuple(fc.option(set), fc.option(set))
  .map((sets) => new Map(dimensions.flatMap((name, at) => (sets[at] ? [[name, sets[at]] as const] : []))));
const boundaries: fc.Arbitrary<Boundaries> = fc.array(boundary, { maxLength: 2 });
const rights: fc.Arbitrary<Rights> = fc
  .tuple(...scopes.map(() => fc.option(boundaries, { freq: 5 })))
  .map((all) => new Map(scopes.flatMap((name, at) => (all[at] ? [[name, all[at]] as const] : []))));
const ceilings: fc.Arbitrary<Ceiling[]> = fc.tuple(
  rights.map((held): Ceiling => ({ layer: 'person', rights: held })),
  rights.map((held): Ceiling => ({ layer: 'agent', rights: held })),
);
const asked = fc.record({
  scopes: fc.option(fc.subarray([...scopes, 'q:unknown'], { minLength: 1 }), { nil: undefined }),
  boundary: boundary.map((given) => new Map(given)),
});

/** Rows of types that have every choice of the dimensions. */
const places: DimensionValues[] = [undefined, 'a', 'b', 'c', 'z', null].flatMap((region) =>
  [undefined, 'a', 'b', 'c', 'z', null].map(
    (collection) =>
      new Map(
        Object.entries({ region, collection }).filter(
          (entry): entry is [string, string | null] => entry[1] !== undefined,
        ),
      ),
  ),
);

const attempt = (work: () => Narrowed): Narrowed | undefined => {
  try {
    return work();
  } catch (error) {
    if (error instanceof BehalfError) return undefined;
    throw error;
  }
};

describe('what is handed over', () => {
  test('allows no scope and no row that any ceiling does not allow', () => {
    fc.assert(
      fc.property(ceilings, asked, (all, request) => {
        const made = attempt(() => narrow(all, request, dimensions));
        if (made === undefined) return;
        const given = [parseBoundary(made.boundary)];
        for (const scope of made.scopes) {
          for (const values of places.filter((at) => isInside(given, at))) {
            for (const { rights: held } of all) expect(isInside(held.get(scope) ?? [], values)).toBe(true);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('says every dimension, and has what was asked for', () => {
    fc.assert(
      fc.property(ceilings, asked, (all, request) => {
        const made = attempt(() => narrow(all, request, dimensions));
        if (made === undefined) return;
        expect(Object.keys(made.boundary).sort()).toEqual([...dimensions].sort());
        for (const [dimension, wanted] of request.boundary) {
          expect(made.boundary[dimension]).toEqual(wanted === 'all' ? 'all' : [...wanted].sort());
        }
        if (request.scopes !== undefined) expect(made.scopes).toEqual([...request.scopes].sort());
      }),
      { numRuns: 2_000 },
    );
  });

  test('with one boundary everywhere, what is left out becomes what all share', () => {
    const region = (...names: string[]): Rights =>
      new Map([['x:read', [new Map<string, ValueSet>([['region', new Set(names)]])]]]);
    const all: Ceiling[] = [
      { layer: 'person', rights: region('a', 'b') },
      { layer: 'agent', rights: region('b', 'c') },
    ];
    expect(narrow(all, { scopes: undefined, boundary: new Map() }, dimensions)).toEqual({
      scopes: ['x:read'],
      boundary: { collection: [], region: ['b'] },
    });
  });

  test('a scope that nobody has heard of and one that the person lacks are refused alike', () => {
    const all: Ceiling[] = [
      { layer: 'person', rights: new Map([['x:read', [new Map()]]]) },
      { layer: 'agent', rights: new Map([['y:read', [new Map()]]]) },
    ];
    const refusal = (scope: string): unknown => {
      try {
        return narrow(all, { scopes: [scope], boundary: new Map() }, dimensions);
      } catch (error) {
        return error;
      }
    };
    expect(refusal('y:read')).toMatchObject({
      code: 'FORBIDDEN',
      details: { layer: 'person', missingScopes: ['y:read'] },
    });
    expect(refusal('no:such')).toMatchObject({
      code: 'FORBIDDEN',
      details: { layer: 'person', missingScopes: ['no:such'] },
    });
    expect(refusal('x:read')).toMatchObject({ code: 'FORBIDDEN', details: { layer: 'agent' } });
  });
});

describe('limits that are handed over', () => {
  const amount = fc.integer({ min: 0, max: 20 });
  const limits = fc.record({ operations: amount, rows: amount, expirySeconds: amount, depth: amount });

  test('are never more than any bound, and what was asked for', () => {
    fc.assert(
      fc.property(fc.array(limits, { minLength: 1, maxLength: 3 }), limits, (bounds, wanted) => {
        const names = ['operations', 'rows', 'expirySeconds', 'depth'] as const;
        const fits = bounds.every((bound) => names.every((name) => wanted[name] <= bound[name]));
        const positive = [wanted.operations, wanted.rows, wanted.expirySeconds].every((value) => value > 0);
        if (fits && positive) expect(narrowLimits(bounds, wanted)).toEqual(wanted);
        else expect(() => narrowLimits(bounds, wanted)).toThrow(BehalfError);
      }),
    );
  });
});

test('a time that is no time is refused by the name that a request for a delegation gives it', () => {
  const bound = { operations: 1, rows: 1, expirySeconds: 60, depth: 0 };
  const refused = (): unknown => narrowLimits([bound], { expirySeconds: 0 });
  expect(refused).toThrow(/`expiresInSeconds` must be a whole number/);
});

describe('a role that ships', () => {
  test.each(shippedRoles.map((role) => [role.name, role] as const))('%s says every dimension', (_, role) => {
    expect(Object.keys(role.boundary).sort()).toEqual([
      'classification',
      'collection',
      'customer',
      'person',
      'region',
    ]);
    expect(new Set(role.scopes).size).toBe(role.scopes.length);
  });

  test('for an agent reaches nobody’s accounts, delegations or records', () => {
    for (const role of shippedRoles.filter(({ holder }) => holder === 'agent')) {
      expect(role.boundary.person).toEqual([]);
      expect(role.limits.operations).toBeGreaterThan(0);
    }
  });

  test('for a person who hands over tasks holds all that some agent role holds', () => {
    const scopesOf = (name: string): readonly string[] =>
      shippedRoles.find((role) => role.name === name)?.scopes ?? [];
    const pairs = [
      ['support-rep', 'support-agent'],
      ['analyst', 'analytics-agent'],
      ['finance-manager', 'finance-agent'],
      ['operations-manager', 'operations-agent'],
    ] as const;
    for (const [person, agent] of pairs)
      expect(scopesOf(person)).toEqual(expect.arrayContaining([...scopesOf(agent)]));
  });

  test('keeps administration and business data apart', () => {
    const data =
      /^(collections|documents|customers|products|stock|orders|invoices|payments|refunds|tickets|analytics):/;
    for (const name of ['administrator', 'auditor']) {
      const role = shippedRoles.find((shipped) => shipped.name === name);
      expect(role?.scopes.filter((scope) => data.test(scope))).toEqual([]);
    }
  });
});
