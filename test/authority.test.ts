import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Authority } from '../src/authority/authority.js';
import {
  intersectBoundaries,
  isInside,
  parseBoundary,
  storeBoundary,
  unite,
  type Boundaries,
  type Boundary,
  type DimensionValues,
  type ValueSet,
} from '../src/authority/boundary.js';
import type { AuthorityLayer } from '../src/authority/chain.js';
import {
  areRightsWithin,
  intersectRights,
  restrict,
  uniteRights,
  type Rights,
} from '../src/authority/rights.js';
import { areWithin } from '../src/authority/within.js';

const dimensions = ['customer', 'region', 'collection'];
const values = ['a', 'b', 'c'];
/** Stands for every value that no boundary names. */
const other = 'z';

const valueSet: fc.Arbitrary<ValueSet> = fc.oneof(
  fc.constant<ValueSet>('all'),
  fc.subarray(values, { minLength: 1 }).map((chosen) => new Set(chosen)),
);
const boundary: fc.Arbitrary<Boundary> = fc
  .subarray(dimensions)
  .chain((chosen) => fc.tuple(...chosen.map((name) => fc.tuple(fc.constant(name), valueSet))))
  .map((entries) => new Map(entries));
const boundaries: fc.Arbitrary<Boundaries> = fc.array(boundary, { maxLength: 3 });

/** Every row that could tell two boundaries apart: each subset of dimensions, each value, unnamed ones and NULL. */
const places: DimensionValues[] = [];
function everyPlace(rest: readonly string[], so: [string, string | null][] = []): void {
  const [head, ...tail] = rest;
  if (head === undefined) {
    places.push(new Map(so));
    return;
  }
  everyPlace(tail, so);
  for (const value of [...values, other, null]) everyPlace(tail, [...so, [head, value]]);
}
everyPlace(dimensions);

const inside = (all: Boundaries): boolean[] => places.map((values) => isInside(all, values));

describe('a boundary is a set of rows', () => {
  test('intersection holds exactly the rows that both hold', () => {
    fc.assert(
      fc.property(boundaries, boundaries, (a, b) => {
        const both = inside(intersectBoundaries(a, b));
        const [inA, inB] = [inside(a), inside(b)];
        expect(both).toEqual(inA.map((is, at) => is && inB[at]));
      }),
    );
  });

  test('intersection is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(boundaries, boundaries, boundaries, (a, b, c) => {
        expect(inside(intersectBoundaries(a, b))).toEqual(inside(intersectBoundaries(b, a)));
        expect(inside(intersectBoundaries(intersectBoundaries(a, b), c))).toEqual(
          inside(intersectBoundaries(a, intersectBoundaries(b, c))),
        );
        expect(inside(intersectBoundaries(a, a))).toEqual(inside(a));
      }),
    );
  });

  test('union holds exactly the rows that either holds', () => {
    fc.assert(
      fc.property(boundaries, boundaries, (a, b) => {
        const [inA, inB] = [inside(a), inside(b)];
        expect(inside(unite(a, b))).toEqual(inA.map((is, at) => is || inB[at]));
      }),
    );
  });

  test('"is within" is exact, also where only several boundaries together cover one', () => {
    fc.assert(
      fc.property(boundaries, boundaries, (inner, outer) => {
        const [inInner, inOuter] = [inside(inner), inside(outer)];
        const covered = inInner.every((is, at) => !is || inOuter[at] === true);
        // A boundary that lacks a dimension may hold rows of no type at all; then "within" may only be stricter.
        if (areWithin(inner, outer)) expect(covered).toBe(true);
        else if (inner.every((one) => one.size === dimensions.length)) expect(covered).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('a boundary survives being stored', () => {
    fc.assert(
      fc.property(boundary, (one) => {
        expect(parseBoundary(storeBoundary(one))).toEqual(one);
      }),
    );
  });

  test('`self` is the holder, and an empty list allows nothing', () => {
    expect(parseBoundary({ person: ['self'], region: [] }, 'me')).toEqual(
      new Map([['person', new Set(['me'])]]),
    );
  });

  test('a new dimension opens nothing: a boundary that does not name it holds no row that has it', () => {
    const before = [parseBoundary({ customer: 'all', region: 'all' })];
    expect(isInside(before, new Map([['customer', 'a']]))).toBe(true);
    expect(
      isInside(
        before,
        new Map([
          ['customer', 'a'],
          ['clearance', 'x'],
        ]),
      ),
    ).toBe(false);
  });
});

const scopes = ['orders:read', 'invoices:read', 'tickets:reply'];
const rights: fc.Arbitrary<Rights> = fc
  .subarray(scopes)
  .chain((chosen) => fc.tuple(...chosen.map((scope) => fc.tuple(fc.constant(scope), boundaries))))
  .map((entries) => new Map(entries));

const person = { id: 'p', name: 'p', displayName: 'P' };
function authority(layers: readonly Rights[], tokenScopes: readonly string[], ceiling = scopes): Authority {
  const kinds = ['person', 'agent', 'delegation'] as const;
  return new Authority({
    chain: { person, agents: [{ id: 'a', name: 'a', displayName: 'A', delegationId: 'd', role: 'r' }] },
    task: undefined,
    tokenId: 't',
    expiresAt: 0,
    version: 1,
    layers: layers.map((one, at): AuthorityLayer => ({
      layer: kinds[Math.min(at, 2)] ?? 'person',
      id: String(at),
      rights: one,
      needsApproval: new Set(),
    })),
    tokenScopes: new Set(tokenScopes),
    ceiling: new Set(ceiling),
  });
}

const seeing = (...ceiling: string[]): Authority => authority([], scopes, ceiling);

describe('rights are an intersection', () => {
  test('a chain allows a row exactly where every layer and the token do, and names a layer that refuses', () => {
    fc.assert(
      fc.property(fc.array(rights, { minLength: 1, maxLength: 5 }), fc.subarray(scopes), (layers, token) => {
        const chain = authority(layers, token);
        for (const scope of scopes) {
          for (const values of places) {
            const allowed =
              token.includes(scope) &&
              layers.every((layer) => layer.has(scope)) &&
              layers.every((layer) => isInside(layer.get(scope) ?? [], values));
            const decision = chain.decideAt(scope, values);
            expect(decision.allow).toBe(allowed);
            if (!decision.allow) expect(['person', 'agent', 'delegation', 'token']).toContain(decision.layer);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('nothing that is added to a chain ever widens it', () => {
    fc.assert(
      fc.property(rights, rights, fc.subarray(scopes), (a, b, token) => {
        expect(areRightsWithin(intersectRights(a, b), a)).toBe(true);
        expect(areRightsWithin(restrict(a, new Set(token)), a)).toBe(true);
        expect(authority([a, b], scopes).isWithin(authority([a], scopes))).toBe(true);
      }),
    );
  });

  test('what could be seen and can be no more is a right that was lost', () => {
    expect(seeing('orders:read', 'tickets:reply').isWithin(seeing('orders:read'))).toBe(false);
    expect(seeing('orders:read').isWithin(seeing('orders:read', 'tickets:reply'))).toBe(true);
  });

  test('several roles keep their boundaries apart, scope by scope', () => {
    const europe = parseBoundary({ region: ['europe'] });
    const america = parseBoundary({ region: ['america'] });
    const both = uniteRights([
      new Map([['orders:read', [europe]]]),
      new Map([['invoices:issue', [america]]]),
    ]);
    expect(isInside(both.get('orders:read') ?? [], new Map([['region', 'america']]))).toBe(false);
    expect(isInside(both.get('invoices:issue') ?? [], new Map([['region', 'america']]))).toBe(true);
  });

  test('what lies outside the ceiling is told as hidden, whatever the layers say', () => {
    const all: Rights = new Map(scopes.map((scope) => [scope, [parseBoundary({ region: 'all' })]]));
    expect(authority([all, all], scopes, ['orders:read']).decide('invoices:read')).toMatchObject({
      allow: false,
      reason: 'hidden',
    });
  });

  test('the first layer that lacks a scope is the one that is named', () => {
    const some: Rights = new Map([['orders:read', [parseBoundary({ region: 'all' })]]]);
    const none: Rights = new Map();
    const layerOf = (layers: Rights[], token = scopes) => {
      const decision = authority(layers, token).decide('orders:read');
      return decision.allow ? 'allowed' : decision.layer;
    };
    expect(layerOf([none, none, none])).toBe('person');
    expect(layerOf([some, none, none])).toBe('agent');
    expect(layerOf([some, some, none])).toBe('delegation');
    expect(layerOf([some, some, some], [])).toBe('token');
    expect(layerOf([some, some, some])).toBe('allowed');
  });
});
