// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addRegions } from '../../support/regions.js';
import { everywhere, TestServer, type Answer, type PersonFixture } from '../../support/server.js';

let server: TestServer;
let person: PersonFixture;
let bare: PersonFixture;
beforeAll(async () => {
  server = await TestServer.start();
  await addRegions(server);
  const boundary = { ...everywhere, person: 'all' } as const;
  person = await server.person({ scopes: ['customers:read', 'audit:read'], boundary });
  bare = await server.person({ scopes: ['audit:read'], boundary });
});
afterAll(() => server.stop());

async function shown(answer: Answer, to = person): Promise<unknown> {
  expect(answer.errors).toEqual([]);
  const { data } = await server.query(to.token, 'query ($id: ID!) { auditRecord(id: $id) { variables } }', {
    id: answer.headers.get('behalf-operation-id'),
  });
  const { variables } = data.auditRecord as { variables: string | null };
  return variables === null ? null : (JSON.parse(variables) as unknown);
}

const counting = (name: string): string =>
  `query ($${name}: CustomerFilter = { nameStartsWith: "Gra", regions: ["europe"] }) {
     customers(filter: $${name}, first: 1) { totalCount } }`;

describe('08 a count is recorded with its filter, also where a variable has it by default', () => {
  test('as if the caller had given it', async () => {
    const filter = { nameStartsWith: 'Gra', regions: ['europe'] };
    // Three times: the third is answered by what is kept of the document.
    for (let time = 0; time < 3; time += 1)
      expect(await shown(await server.query(person.token, counting('by')))).toEqual({ by: filter });
    const given = await server.query(person.token, counting('by'), { by: { nameStartsWith: 'B' } });
    expect(await shown(given)).toEqual({ by: { nameStartsWith: 'B' } });
    const none = await server.query(person.token, counting('by'), { by: null });
    expect(await shown(none)).toEqual({ by: null });
  });

  test('to nobody who may not read what it looked at', async () => {
    const answer = await server.query(person.token, counting('by'));
    expect(JSON.stringify(await shown(answer, bare))).not.toMatch(/Gra|europe/);
  });

  test('whatever the variable is called', async () => {
    for (const name of ['__proto__', 'constructor', 'toString'])
      expect(JSON.stringify(await shown(await server.query(person.token, counting(name))))).toContain('Gra');
  });
});
