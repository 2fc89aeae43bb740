import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dialects, type Dialect } from '../src/delegation/token-dialects.js';
import { readChain, type ClaimedChain } from '../src/oauth/foreign-tokens/dialects.js';
import { RefusedToken } from '../src/oauth/foreign-tokens/refused-token.js';

type Claims = Record<string, unknown>;
const issuer = 'https://login.example.com';
const userClaim = 'on_behalf_of';
const actorsMax = 3;

/** The text of the dialects in `docs/tokens-of-your-company.md`, as plainly as it can be written. */
const name = (value: unknown): string[] =>
  typeof value === 'string' && value.length >= 1 && value.length <= 255 ? [value] : [];
const objects = (value: unknown): Claims[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? [value as Claims] : [];
const ofIssuer = (act: Claims): boolean => !('iss' in act) || act.iss === issuer;

/** The actors in an `act`, the earliest first; none where one of them is not named. */
const actors = (act: unknown): string[] =>
  objects(act)
    .filter(ofIssuer)
    .flatMap((one) => {
      const earlier = 'act' in one ? actors(one.act) : [];
      const isWhole = !('act' in one) || earlier.length > 0;
      return isWhole ? name(one.sub).flatMap((actor) => [...earlier, actor]) : [];
    });
const beside = (claims: Claims, actor: unknown): string[] => ('act' in claims ? [] : name(actor));
const onlyOf = (aud: unknown): unknown => (Array.isArray(aud) && aud.length === 1 ? aud[0] : aud);
const userIn = (act: unknown): string[] =>
  objects(act)
    .filter((one) => ofIssuer(one) && !('act' in one))
    .flatMap((one) => name(one.sub));

const parties: Readonly<Record<Dialect, (claims: Claims) => [person: string[], actors: string[]]>> = {
  act: (claims) => [name(claims.sub), actors(claims.act)],
  azp: (claims) => [name(claims.sub), beside(claims, 'azp' in claims ? claims.azp : onlyOf(claims.aud))],
  'client-id': (claims) => [name(claims.sub), beside(claims, claims.client_id)],
  'agent-in-sub': (claims) => [name(claims[userClaim]), beside(claims, claims.sub)],
  'user-in-act': (claims) => [userIn(claims.act), name(claims.sub)],
};

function reference(claims: Claims, dialect: Dialect): ClaimedChain | undefined {
  const [[subject], chain] = parties[dialect](claims);
  const isChain = chain.length >= 1 && chain.length <= actorsMax && new Set(chain).size === chain.length;
  return subject === undefined || !isChain || chain.includes(subject)
    ? undefined
    : { subject, actors: chain };
}

const names = fc.constantFrom('ada', 'ben', 'bot', 'relay', 'desk', 'sub', 'ada ', 'x'.repeat(255));
const badNames = fc.constantFrom<unknown>('', 'x'.repeat(256), 7, null, true, ['ada'], { sub: 'ada' });
const oftenName = fc.oneof({ arbitrary: names, weight: 12 }, { arbitrary: badNames, weight: 1 });
const { act } = fc.letrec<{ act: unknown }>((tie) => ({
  act: fc.oneof(
    { maxDepth: 5 },
    { arbitrary: fc.record({ sub: oftenName }, { requiredKeys: ['sub'] }), weight: 4 },
    {
      arbitrary: fc.record(
        {
          sub: oftenName,
          iss: fc.constantFrom<unknown>(issuer, issuer, `${issuer}/`, null),
          client_id: names,
          act: tie('act'),
        },
        { requiredKeys: [] },
      ),
      weight: 4,
    },
    { arbitrary: badNames, weight: 1 },
  ),
}));
const aud = fc.oneof(oftenName, fc.array(oftenName, { maxLength: 2 }));
const claims = fc.record(
  { sub: oftenName, aud, azp: oftenName, client_id: oftenName, [userClaim]: oftenName, act },
  { requiredKeys: ['sub'] },
);

describe('the chain of random claims is that of the dialect’s text, or a refusal:', () => {
  test.each(dialects)('%s', (dialect) => {
    const outcomes = { chains: 0, refusals: 0 };
    const reading = { issuer, dialect, actorsMax, userClaim: dialect === 'agent-in-sub' ? userClaim : null };
    const read = (given: Claims): ClaimedChain | undefined => {
      try {
        return readChain(given, reading);
      } catch (error) {
        expect(error).toBeInstanceOf(RefusedToken);
        return undefined;
      }
    };
    fc.assert(
      fc.property(claims, (given) => {
        const chain = read(given);
        expect(chain).toEqual(reference(given as Claims, dialect));
        outcomes[chain === undefined ? 'refusals' : 'chains'] += 1;
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(outcomes.chains, outcomes.refusals)).toBeGreaterThan(50);
  });

  test('members of the prototype are no claims', () => {
    const reading = { issuer, dialect: 'agent-in-sub', actorsMax, userClaim: 'constructor' } as const;
    expect(() => readChain({ sub: 'bot' }, reading)).toThrow(RefusedToken);
    const inherited = Object.create({ act: { sub: 'bot' } }) as Claims;
    inherited.sub = 'ada';
    expect(() => readChain(inherited, { ...reading, dialect: 'act' })).toThrow('no claim act');
  });
});
