// databases: sqlite, mariadb
import fc from 'fast-check';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSchemaPolicy } from '../../src/graphql/schema/schema-policy.js';
import { readSdl } from '../../src/graphql/schema/sdl.js';
import { Views } from '../../src/graphql/view/views.js';
import { smallBusiness } from '../support/demo-rows.js';
import { askAll, differencesIn, type Difference, type Tally } from '../support/plain-and-shielded.js';
import { callersOfFamily, familyPlan, makeFamily, type FamilyPlan } from '../support/random-callers.js';
import { randomRequest, type RandomRequest } from '../support/random-documents.js';
import { drawn } from '../support/random-values.js';
import { scopedSdl } from '../support/scoped-sdl.js';
import { volume } from '../support/volume.js';
import { oddBusiness, startWorld, stateOf, type World } from '../support/worlds.js';

/** Rounds of families, whose callers all ask the same documents. */
const rounds = volume(10, 2);
/** The world of each family of a round. */
const worldsOfRound = [0, 0, 1, 1, 2];
const documentsOfFamily = 25;
const foreignOfFamily = 3;
const cases = rounds * worldsOfRound.length * documentsOfFamily * callersOfFamily;

/** What every operation moves: the log, and what is left of a task. */
const moving = new Set([
  'Query.auditRecord',
  'Query.auditRecords',
  'Delegation.records',
  ...['operationsUsed', 'operationsLeft', 'rowsUsed', 'rowsLeft'].map((name) => `DelegationLimits.${name}`),
  ...['operationsLeft', 'rowsLeft'].map((name) => `ViewerTask.${name}`),
]);

interface Place {
  readonly world: World;
  readonly schema: GraphQLSchema;
  readonly views: Views;
}

const { definitions } = readSchemaPolicy(buildSchema(readSdl()));
const scopes = [...definitions.keys()].filter((scope) => scope !== 'session:read');
const isForAgents = (scope: string): boolean => definitions.get(scope)?.peopleOnly !== true;

const places: Place[] = [];

beforeAll(async () => {
  for (const plan of [
    { name: 'the demo company', sdl: readSdl(), data: smallBusiness() },
    { name: 'a company with gaps', sdl: scopedSdl, data: oddBusiness() },
    { name: 'a company without rows', sdl: readSdl(), data: undefined },
  ]) {
    const schema = buildSchema(plan.sdl);
    const world = await startWorld({ ...plan, schema, scopes });
    places.push({ world, schema, views: new Views(schema, readSchemaPolicy(schema)) });
  }
});
afterAll(async () => {
  for (const { world } of places) {
    await world.shielded.stop();
    await world.shipping.stop();
  }
});

interface Family {
  readonly at: number;
  readonly plan: FamilyPlan;
  readonly requests: readonly RandomRequest[];
}

const placeAt = (at: number): Place => {
  const place = places[at];
  if (place === undefined) throw new Error('There is no such world.');
  return place;
};

const viewOf = ({ views }: Place, held: readonly string[]): GraphQLSchema =>
  views.of(new Set([...held, 'session:read'])).schema;

const familyIn = (at: number): fc.Arbitrary<Family> =>
  drawn((draw): Family => {
    const place = placeAt(at);
    const { pools } = place.world;
    const plan = familyPlan(draw, scopes, isForAgents, (pools['Query.customer(id:)'] ?? []) as string[]);
    const view = viewOf(place, plan.scopes);
    const requests = Array.from({ length: documentsOfFamily }, () =>
      randomRequest(draw, view, place.schema, moving, pools),
    );
    return { at, plan, requests };
  });

test(`${cases.toLocaleString('en')} random cases of document, roles, boundary and data on this database have one answer and one record, plain or shielded, errors and order included`, async () => {
  const tally = noTally();
  let asked = 0;
  const round = fc.tuple(...worldsOfRound.map(familyIn));
  const check = fc.asyncProperty(round, async (families) => {
    const made = await Promise.all(
      families.map(async ({ at, plan, requests }, index) => {
        const { world } = placeAt(at);
        // Some were written by others, who see another schema and have had them found valid.
        const foreign = families.at(index - 1)?.requests.slice(0, foreignOfFamily) ?? [];
        const asking = [...requests.slice(foreignOfFamily), ...foreign];
        return { world, requests: asking, tokens: await makeFamily(world, plan) };
      }),
    );
    const before = await states();
    const differences: Difference[] = [];
    for (const { world, tokens, requests } of made) {
      const told = await Promise.all(requests.map((one, begin) => askAll(world, tokens, one, begin)));
      asked += told.flat().length;
      differences.push(...(await differencesIn(told.flat(), tally)));
    }
    expect(smallest(differences)).toEqual([]);
    expect(await states()).toEqual(before);
  });
  await fc.assert(check, { numRuns: rounds, endOnFailure: true, reporter });
  expect(asked).toBe(cases);
  // Callers of a family fare alike, so the shares of few families vary.
  const room = rounds < 10 ? 0.2 : 1;
  for (const [what, share] of Object.entries({
    errors: 0.2,
    refused: 0.08,
    rows: 0.2,
    below: 0.01,
    dear: 0.002,
  })) {
    expect(tally[what as keyof Tally] / cases, what).toBeGreaterThan(share * room);
  }
}, 900_000);

const noTally = (): Tally => ({ errors: 0, refused: 0, rows: 0, below: 0, dear: 0 });

test.each([
  [
    'names of which one goes on where another ends',
    `{ Volumesx: ticket(id: "01ARZ3NDEKTSV4RRFFQ69G5FAV") { __typename }
       x: ticketVolumes(from: "2025-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z", bucket: YEAR) { __typename } }`,
  ],
  ['a name that JavaScript keeps for itself', '{ __proto__: tickets(first: 1) { nodes { __proto__: id } } }'],
])('two tasks that lack different parts of a document each lose their own: %s', async (_, query) => {
  const { world } = placeAt(0);
  const reading = ['tickets:read', 'analytics:tickets'];
  const person = await world.shipping.person({ scopes: reading });
  const tokens: string[] = [];
  for (const lacking of reading) {
    const scopesLeft = reading.filter((scope) => scope !== lacking);
    tokens.push((await world.shipping.agent(person, { scopes: reading }, { scopes: scopesLeft })).token);
  }
  const request = { query, operationName: null, variables: [{}] };
  const tally = noTally();
  expect(await differencesIn(await askAll(world, tokens, request, 0), tally)).toEqual([]);
  expect(tally.refused).toBeGreaterThan(0);
});

const states = (): Promise<string[]> => Promise.all(places.map(({ world }) => stateOf(world)));

const smallest = (differences: Difference[]): Difference[] =>
  differences.sort((a, b) => JSON.stringify(a.body).length - JSON.stringify(b.body).length).slice(0, 2);

/** The documents of a whole round would bury what matters. */
function reporter({ failed, seed, errorInstance }: fc.RunDetails<[Family[]]>): void {
  if (failed)
    throw new Error(`With seed ${String(seed)}: ${String(errorInstance)}`, { cause: errorInstance });
}
