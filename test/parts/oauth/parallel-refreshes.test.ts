// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/core/digest.js';
import { all, eq } from '../../../src/store/sql/condition.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../../src/store/tables/identity.js';
import { Chain, Scene, type Link } from '../../support/chain.js';
import { actorKinds, type ActorKind } from '../../support/chain-actors.js';
import { given, type TokenAnswer } from '../../support/office.js';
import { recordsOf } from '../../support/records.js';
import { TwoServers, type Caller } from '../../support/two-servers.js';

const parallel = 32;
let runs = 0;
/** Each run comes from an address of its own, which has its own count of refused requests. */
const callerAt = (turn: number): Caller => ({ server: turn % 2, address: `10.1.1.${String(runs)}` });

let two: TwoServers;
let scene: Scene;

// Over MariaDB two processes, over SQLite one.
beforeAll(async () => {
  two = await TwoServers.start();
  scene = await Scene.start(two, 'refreshes', callerAt(0));
});
afterAll(() => two.stop());

async function allowed(kind: ActorKind, isBound: boolean): Promise<[Chain, Link, string]> {
  const step = {
    ...{ scopes: ['tickets:read'], left: ['tickets:read'], regions: 255, depthLess: 0, secondsLess: 0 },
    ...{ renewed: undefined, wider: undefined },
  };
  const plan = { links: 1, flow: 'code', kinds: [kind], isElsewhere: false, isBound, steps: [step] } as const;
  const chain = await Chain.make(scene, plan, callerAt);
  const [link] = chain.links;
  if (link?.refreshToken === undefined) throw new Error('There is no refresh token.');
  return [chain, link, link.refreshToken];
}

/** Sets back the time at which a refresh token was used, beyond the grace. */
const outdate = (token: string): Promise<unknown> => {
  const isToken = all<OAuthPayloadRow>(eq('model', 'RefreshToken'), eq('id', sha256(token)));
  const consumedAt = new Date(Date.now() - 11_000).toISOString();
  return two.office.company.do(({ tx }) => tx.update(oauthPayloads, isToken, { consumedAt }));
};

const cases = actorKinds.flatMap((kind) => [
  { kind, isBound: false, how: 'as bearer' },
  { kind, isBound: true, how: 'with DPoP' },
]);

describe.each(cases)('of 32 refreshes of one token at once, by a $kind $how,', ({ kind, isBound }) => {
  test('all get a working token, and a thief’s later replay ends the family', async () => {
    runs += 1;
    const [chain, link, stolen] = await allowed(kind, isBound);
    const answers = await Promise.all(
      Array.from({ length: parallel }, (_, turn) => chain.refresh(callerAt(turn), link, stolen)),
    );
    expect(answers.map(({ status, body }) => body.error ?? status)).toEqual(
      Array.from({ length: parallel }, () => 200),
    );
    const outcomes = async (tokens: readonly string[]): Promise<unknown[]> =>
      Promise.all(
        tokens.flatMap((token) =>
          [0, 1].map(async (turn) => (await chain.ask(callerAt(turn), link, token)).kind),
        ),
      );
    const tokens = [...new Set(answers.map(given))];
    expect(new Set(await outcomes(tokens))).toEqual(new Set(['worked']));

    // All of them go on from the same refresh token.
    const refreshTokens = [...new Set(answers.map(({ body }) => body.refresh_token ?? ''))];
    expect(refreshTokens).toHaveLength(1);
    const later: TokenAnswer = await chain.refresh(callerAt(1), link, refreshTokens[0] ?? '');
    expect(await outcomes([given(later)])).toEqual(['worked', 'worked']);

    await outdate(stolen);
    const replay = await chain.refresh(callerAt(0), link, stolen);
    expect([replay.status, replay.body.error]).toEqual([400, 'invalid_grant']);
    expect((await recordsOf(two.office.server.database, 'token')).at(-1)).toMatchObject({
      outcome: 'refused',
    });
    expect(new Set(await outcomes([...tokens, given(later)]))).toEqual(new Set(['refused']));
    for (const token of [...refreshTokens, later.body.refresh_token ?? '']) {
      const { status } = await chain.refresh(callerAt(1), link, token);
      expect(status).toBe(400);
    }
  });
});
