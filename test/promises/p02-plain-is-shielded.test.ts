import { Agent, request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditBody } from '../../src/audit/record.js';
import { readCoverage } from '../../src/graphql/coverage.js';
import { readSdl } from '../../src/graphql/sdl.js';
import { Views } from '../../src/graphql/views.js';
import { isIn } from '../../src/store/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { smallBusiness } from '../support/demo-rows.js';
import { familyPlan, makeFamily, type FamilyPlan } from '../support/random-callers.js';
import { drawn, randomRequest, type RandomRequest } from '../support/random-documents.js';
import { scopedSdl } from '../support/scoped-sdl.js';
import { oddBusiness, startWorld, stateOf, type World } from '../support/worlds.js';

const families = Number(process.env.FAM ?? 100);
const documentsOfFamily = 25;

const schemas = new Map([readSdl(), scopedSdl].map((sdl) => [sdl, buildSchema(sdl)]));
const schemaOf = (sdl: string): GraphQLSchema => schemas.get(sdl) ?? buildSchema(sdl);
const viewsOf = new Map([...schemas].map(([sdl, schema]) => [sdl, new Views(schema, readCoverage(schema))]));
const { definitions } = readCoverage(schemaOf(readSdl()));
const scopes = [...definitions.keys()].filter((scope) => scope !== 'session:read');
const isForAgents = (scope: string): boolean => definitions.get(scope)?.peopleOnly !== true;

/** What every operation moves: the log and what a task has used up. */
const moving = new Set([
  'Query.auditRecord',
  'Query.auditRecords',
  'Delegation.records',
  ...['operationsUsed', 'operationsLeft', 'rowsUsed', 'rowsLeft'].map((name) => `DelegationLimits.${name}`),
  ...['operationsLeft', 'rowsLeft'].map((name) => `ViewerTask.${name}`),
]);

const plans = [
  { name: 'the demo company', sdl: readSdl(), data: smallBusiness() },
  { name: 'a company with gaps', sdl: scopedSdl, data: oddBusiness() },
  { name: 'a company without rows', sdl: readSdl(), data: undefined },
] as const;

let worlds: World[];
const wire = new Agent({ keepAlive: true, maxSockets: 32 });

beforeAll(async () => {
  worlds = [];
  for (const plan of plans) worlds.push(await startWorld({ ...plan, schema: schemaOf(plan.sdl), scopes }));
});
afterAll(async () => {
  wire.destroy();
  for (const { shielded, shipping } of worlds) {
    await shielded.stop();
    await shipping.stop();
  }
});

interface Told {
  readonly id: string;
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

function ask(url: string, token: string, body: string): Promise<Told> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'content-length': Buffer.byteLength(body),
    };
    const sent = httpRequest(`${url}/graphql`, { method: 'POST', agent: wire, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const id = String(response.headers['behalf-operation-id']);
        const text = Buffer.concat(chunks).toString('utf8').replaceAll(id, 'the operation');
        resolve({ id, status: response.statusCode, type: response.headers['content-type'], text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function recordsOf({ shipping }: World, ids: readonly string[]): Promise<Map<string, AuditBody>> {
  const rows = await shipping.database.read.select(auditRecords, isIn('id', ids));
  return new Map(rows.map((row) => [row.id, JSON.parse(row.body) as AuditBody]));
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
function comparable(record: AuditBody | undefined): object {
  if (record === undefined) return { missing: true };
  const { operationId: _, at: __, durationMs: ___, resources, decisions, ...rest } = record;
  const RAW = process.env.RAW === '1';
  const sets = resources.map(({ ids, digest: d, ...one }) => ({ ...one, ids: one.count > 100 ? [] : [...ids].sort() }));
  return RAW ? { ...rest, resources, decisions } : { ...rest, decisions: [...decisions].sort(byText), resources: sets.sort(byText) };
}

interface Case {
  readonly request: RandomRequest;
  readonly body: string;
  readonly token: string;
  readonly caller: number;
  readonly told: Told[];
  readonly shielded: Told;
}

async function askAll(world: World, tokens: readonly string[], request: RandomRequest, at: number): Promise<Case[]> {
  const { query, operationName, variables } = request;
  const cases: Case[] = [];
  for (let turn = 0; turn < tokens.length; turn += 1) {
    const caller = (turn + at) % tokens.length;
    const token = tokens[caller] ?? '';
    const body = JSON.stringify({ query, operationName, variables: variables[turn % variables.length] });
    const shielded = await ask(world.shielded.url, token, body);
    const told: Told[] = [];
    for (let time = 0; time < (turn === 0 ? 4 : 2); time += 1) told.push(await ask(world.shipping.url, token, body));
    cases.push({ request, body, token, caller, told, shielded });
  }
  return cases;
}

const stats = new Map<string, number>();
const count = (key: string): void => void stats.set(key, (stats.get(key) ?? 0) + 1);

test(`plain and shielded execution give the same`, async () => {
  const differences: object[] = [];
  const before = await Promise.all(worlds.map(stateOf));
  let asked = 0;
  const t0 = Date.now();
  const family = fc.nat({ max: 2 }).chain((at) => {
    const world = worlds[at];
    if (world === undefined) throw new Error('no world');
    const customers = (world.pools['Query.customer(id:)'] ?? []) as string[];
    return drawn((draw): [World, FamilyPlan, RandomRequest[]] => {
      const plan = familyPlan(draw, scopes, isForAgents, customers);
      const sdl = plans[at]?.sdl ?? '';
      const view = viewsOf.get(sdl)?.of(new Set([...plan.scopes, 'session:read'])).schema as GraphQLSchema;
      const requests = Array.from({ length: documentsOfFamily }, () => randomRequest(draw, view, moving, world.pools));
      return [world, plan, requests];
    });
  });
  await fc.assert(
    fc.asyncProperty(family, async ([world, plan, requests]) => {
      const tokens = await makeFamily(world, plan);
      const cases = (await Promise.all(requests.map((one, at) => askAll(world, tokens, one, at)))).flat();
      asked += cases.length;
      const ids = cases.flatMap((one) => [...one.told, one.shielded].map((told) => told.id));
      const records = await recordsOf(world, ids);
      for (const one of cases) {
        const wanted = comparable(records.get(one.shielded.id));
        const { id: _, ...answer } = one.shielded;
        const parsed = JSON.parse(answer.text) as { errors?: { message: string; extensions: { code: string } }[]; data?: unknown };
        count(`status ${String(answer.status)}`);
        for (const code of new Set((parsed.errors ?? []).map((error) => error.extensions.code))) count(code);
        if (parsed.errors === undefined) count('no errors');
        if (parsed.errors?.[0]?.extensions.code === 'BAD_USER_INPUT' && answer.status === 400) count(parsed.errors[0].message.replace(/\d+|"[^"]*"/g, '#').slice(0, 60));
        one.told.forEach((told, time) => {
          const { id, ...mine } = told;
          const isSame = JSON.stringify(mine) === JSON.stringify(answer);
          const record = comparable(records.get(id));
          const isRecorded = JSON.stringify(record) === JSON.stringify(wanted);
          if (isSame && isRecorded) return;
          differences.push({ time, caller: one.caller, acting: plan.acting, world: world.name, size: one.body.length, ...JSON.parse(one.body), ...(isSame ? { record, wanted } : { mine, answer }) });
        });
      }
    }),
    { numRuns: families, endOnFailure: true },
  );
  const { writeFileSync } = await import('node:fs');
  differences.sort((a, b) => (a as { size: number }).size - (b as { size: number }).size);
  writeFileSync(`/tmp/pis/diff-${process.env.BEHALF_TEST_DATABASE ?? ''}.json`, JSON.stringify(differences.slice(0, 200), null, 1));
  writeFileSync(`/tmp/pis/stats-${process.env.BEHALF_TEST_DATABASE ?? ''}.json`, JSON.stringify({ asked, ms: Date.now() - t0, differences: differences.length, ...Object.fromEntries([...stats].sort((a, b) => b[1] - a[1])) }, null, 1));
  expect(await Promise.all(worlds.map(stateOf))).toEqual(before);
  expect(differences.slice(0, 3)).toEqual([]);
}, 600_000);
