import { afterAll, beforeAll, test } from 'vitest';
import { buildSchema } from 'graphql';
import { readCoverage } from '../../src/graphql/coverage.js';
import { readSdl } from '../../src/graphql/sdl.js';
import { bumpEpoch } from '../../src/delegation/epoch.js';
import { TestServer } from '../support/server.js';
let server: TestServer; let scopes: string[];
beforeAll(async () => { server = await TestServer.start();
  const coverage = readCoverage(buildSchema(readSdl()));
  scopes = [...coverage.definitions.values()].filter((s) => !s.peopleOnly).map((s) => s.name); });
afterAll(() => server.stop());
const log = (...a: unknown[]) => console.log('ZZ', process.env.BEHALF_TEST_DATABASE, ...a);
test('throughput against epoch moves', async () => {
  const person = await server.person({ scopes });
  const agents = await Promise.all(Array.from({ length: 6 }, () => server.agent(person, { scopes })));
  for (const everyMs of [0, 100, 30, 10, 5]) {
    const until = Date.now() + 2500; let ok = 0; let bumps = 0; let worst = 0;
    const bump = async () => { while (everyMs > 0 && Date.now() < until) { await server.database.transaction((tx) => bumpEpoch(tx)); bumps++; await new Promise((r) => setTimeout(r, everyMs)); } };
    const worker = async (i: number) => { while (Date.now() < until) { const t = Date.now(); const a = await server.query(agents[i % 6]!.token, '{ viewer { person { id } } }'); if (!a.errors.length) ok++; worst = Math.max(worst, Date.now() - t); } };
    await Promise.all([...Array.from({ length: 16 }, (_, i) => worker(i)), bump()]);
    log('pause between bumps', everyMs, 'ms: bumps', bumps, 'answers', ok, 'slowest ms', worst);
  }
}, 60_000);
test('poison', async () => {
  const person = await server.person({ scopes });
  const bad = await server.agent(person, { scopes }); const good = await server.agent(person, { scopes });
  const name = 'n'.repeat(1_000_000); const until = Date.now() + 5000; const seen = new Map<string, number>();
  const put = (k: string) => seen.set(k, (seen.get(k) ?? 0) + 1);
  const attacker = async () => { while (Date.now() < until) put('attacker ' + ((await server.query(bad.token, `query ${name} { viewer { person { id } } }`)).errors[0]?.extensions.code ?? 'ok')); };
  const victim = async () => { while (Date.now() < until) { put('victim ' + ((await server.query(good.token, '{ viewer { person { id } } }')).errors[0]?.extensions.code ?? 'ok')); } };
  await Promise.all([...Array.from({ length: 30 }, attacker), ...Array.from({ length: 6 }, victim)]);
  log('poison', [...seen].map(([c, n]) => `${c}=${n}`).join(' '));
}, 60_000);
