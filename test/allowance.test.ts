import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Allowance, Allowances, type Terms } from '../src/authority/allowance.js';
import { Authority } from '../src/authority/authority.js';
import type { Boundary, ValueSet } from '../src/authority/boundary.js';
import { namesPerson, refusalError } from '../src/authority/explain.js';

const scopes = ['orders:read', 'invoices:read', 'tickets:reply'];
const scopeSet = fc.subarray(scopes).map((chosen) => new Set(chosen));
const valueSet: fc.Arbitrary<ValueSet> = fc.oneof(
  fc.constant<ValueSet>('all'),
  fc.subarray(['all', 'a', 'b'], { minLength: 1 }).map((chosen) => new Set(chosen)),
);
const boundary: fc.Arbitrary<Boundary> = fc
  .subarray(['customer', 'region'])
  .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), valueSet))))
  .map((entries) => new Map(entries));
const rights = fc
  .subarray(scopes)
  .chain((chosen) =>
    fc.tuple(...chosen.map((scope) => fc.tuple(fc.constant(scope), fc.array(boundary, { maxLength: 2 })))),
  )
  .map((entries) => new Map(entries));
const layer = fc.record({
  layer: fc.constantFrom('person', 'agent', 'delegation'),
  rights,
  needsApproval: scopeSet,
});
const terms: fc.Arbitrary<Terms> = fc.record({
  layers: fc.array(layer, { minLength: 1, maxLength: 3 }),
  tokenScopes: scopeSet,
  ceiling: scopeSet,
  inPerson: fc.boolean(),
});

const isEqual = (a: unknown, b: unknown): boolean => {
  try {
    expect(a).toStrictEqual(b);
    return true;
  } catch {
    return false;
  }
};
const everyScope = [...scopes, 'session:read', 'unheard:of'];
const places = ['all', 'a', 'b', 'c', null].flatMap((customer) =>
  ['a', null].map(
    (region) =>
      new Map([
        ['customer', customer],
        ['region', region],
      ]),
  ),
);

const asMade = (one: Terms): unknown =>
  everyScope.map((scope) => [
    new Allowance(one).decide(scope),
    places.map((place) => new Allowance(one).decideAt(scope, place)),
  ]);

describe('equal terms share an allowance', () => {
  test('terms made anew with the same content get the same object', () => {
    fc.assert(
      fc.property(terms, (one) => {
        const allowances = new Allowances();
        const first = allowances.of(one);
        expect(allowances.of(structuredClone(one))).toBe(first);
      }),
    );
  });

  test('terms that differ in anything never do', () => {
    fc.assert(
      fc.property(terms, terms, (one, other) => {
        const allowances = new Allowances();
        if (allowances.of(one) === allowances.of(other)) expect(isEqual(one, other)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, (one: Terms) => Terms]>([
    ['the ceiling', (one) => ({ ...one, ceiling: new Set([...one.ceiling, 'more:read']) })],
    [
      'the scopes of the token',
      (one) => ({ ...one, tokenScopes: new Set([...one.tokenScopes, 'more:read']) }),
    ],
    ['who acts', (one) => ({ ...one, inPerson: !one.inPerson })],
    ['a layer more', (one) => ({ ...one, layers: [...one.layers, ...one.layers.slice(0, 1)] })],
    [
      'a scope that needs approval',
      (one) => ({
        ...one,
        layers: one.layers.map((mine) => ({
          ...mine,
          needsApproval: new Set([...mine.needsApproval, 'x:y']),
        })),
      }),
    ],
    [
      'a value of a boundary, such as the id of the person',
      (one) => ({
        ...one,
        layers: one.layers.map((mine) => ({
          ...mine,
          rights: new Map([...mine.rights, ['orders:read', [new Map([['person', new Set(['me'])]])]]]),
        })),
      }),
    ],
  ])('a difference in one thing is enough: %s', (_what, changed) => {
    fc.assert(
      fc.property(terms, (one) => {
        const allowances = new Allowances();
        expect(allowances.of(changed(one))).not.toBe(allowances.of(one));
      }),
    );
  });

  test('"all" is not a set that holds the word', () => {
    const of = (set: ValueSet): Terms => ({
      layers: [
        {
          layer: 'person',
          rights: new Map([['orders:read', [new Map([['region', set]])]]]),
          needsApproval: new Set(),
        },
      ],
      tokenScopes: new Set(scopes),
      ceiling: new Set(scopes),
      inPerson: true,
    });
    const allowances = new Allowances();
    const [all, one] = [allowances.of(of('all')), allowances.of(of(new Set(['all'])))];
    expect(one).not.toBe(all);
    expect(one.boundaries('orders:read')).not.toBe(all.boundaries('orders:read'));
  });

  test('what is shared decides as one of its own would, after whatever came before', () => {
    fc.assert(
      fc.property(fc.array(terms, { minLength: 2, maxLength: 5 }), (all) => {
        const allowances = new Allowances();
        for (const one of all) {
          const shared = allowances.of(one);
          const decided = everyScope.map((scope) => [
            shared.decide(scope),
            places.map((place) => shared.decideAt(scope, place)),
          ]);
          expect(decided).toEqual(asMade(one));
        }
      }),
    );
  });

  test('equal boundaries are one object, whichever allowance they are of', () => {
    fc.assert(
      fc.property(terms, (one) => {
        const allowances = new Allowances();
        const mine = allowances.of(one);
        const theirs = allowances.of({ ...one, ceiling: new Set([...one.ceiling, 'more:read']) });
        for (const scope of one.ceiling) expect(theirs.rights.get(scope)).toBe(mine.rights.get(scope));
      }),
    );
  });
});

test('two people on equal terms are told the same, but where a refusal names the person', () => {
  fc.assert(
    fc.property(terms, fc.constantFrom(...everyScope), fc.constantFrom(...places), (one, scope, place) => {
      const allowances = new Allowances();
      const [ada, bob] = ['Ada', 'Bob'].map((name) => authorityOf(name, one, allowances));
      if (ada === undefined || bob === undefined) throw new Error('There are two.');
      expect(ada.allowance).toBe(bob.allowance);
      const decision = ada.decideAt(scope, place);
      if (decision.allow) return;
      const [toAda, toBob] = [refusalError(ada, decision), refusalError(bob, decision)];
      expect(JSON.stringify(toBob.details)).not.toContain('Ada');
      if (!namesPerson(decision))
        expect([toAda.message, toAda.details]).toEqual([toBob.message, toBob.details]);
    }),
  );
});

const authorityOf = (name: string, { layers, ...one }: Terms, allowances: Allowances): Authority =>
  new Authority(
    {
      ...one,
      chain: {
        person: { id: name, name, displayName: name },
        agents: one.inPerson ? [] : [{ id: name, name, displayName: name, delegationId: name, role: 'r' }],
      },
      layers: layers.map((mine) => ({ ...mine, id: name })),
      task: undefined,
      tokenId: name,
      expiresAt: 0,
      version: 1,
    },
    allowances,
  );
