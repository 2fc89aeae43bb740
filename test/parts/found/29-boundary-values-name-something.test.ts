// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CustomerRow } from '../../../src/domains/business/tables.js';
import { consents, delegations, roles } from '../../../src/store/tables/identity.js';
import { at, key } from '../../support/administration.js';
import { boundaryInput, changeRole, makeCase, makeRole, taskScopes, type Case } from '../../support/case.js';
import { loadDocuments } from '../../support/demo-rows.js';
import { given, Office, type TokenAnswer } from '../../support/office.js';
import type { Answer } from '../../support/server.js';

const noId = '01J00000000000000000000000';
const unknownNumber = 'C-0000';
let office: Office;
/** May do everything everywhere. */
let wide: Case;
/** Only in Europe, whichever customer. */
let european: Case;
let here: CustomerRow;
let elsewhere: CustomerRow;

const customerOf = (isHere: boolean): CustomerRow => {
  const found = office.data.customers.find(({ region }) => (region === 'europe') === isHere);
  if (found === undefined) throw new Error('no such customer');
  return found;
};

beforeAll(async () => {
  office = await Office.start();
  await loadDocuments(office.server.database, office.server.ids);
  [here, elsewhere] = [customerOf(true), customerOf(false)];
  wide = await makeCase(office);
  european = await makeCase(office);
  const region = { region: ['europe'], person: ['self'] };
  await changeRole(office, european.personRoleId, { boundary: boundaryInput(region) });
});
afterAll(() => office.server.stop());

const mutation = (field: string, type: string, selection: string): string =>
  `mutation ($input: ${type}!, $key: String!) { ${field}(input: $input, idempotencyKey: $key) { ${selection} } }`;
const asDimensions = (boundary: Record<string, string[]>) =>
  Object.entries(boundary).map(([dimension, values]) => ({ dimension, values }));

function delegate(by: Case, boundary: Record<string, string[]>, scopes = taskScopes): Promise<Answer> {
  const said = { agent: by.agent.name, scopes, purpose: 'One ticket', task: 'ticket:T-1' };
  return office.company.ask(
    by.person,
    mutation('delegate', 'DelegateInput', 'delegation { id boundary { dimension values } }'),
    { input: { ...said, boundary: asDimensions(boundary) }, key: key() },
  );
}

const consent = (by: Case, boundary: Record<string, string[]>): Promise<Answer> =>
  office.company.ask(by.person, mutation('giveConsent', 'ConsentInput', 'consent { id }'), {
    input: { agent: by.agent.name, boundary: asDimensions(boundary) },
    key: key(),
  });

const valuesOf = (answer: Answer, dimension: string): unknown => {
  expect(answer.errors).toEqual([]);
  const said = at(answer, 'delegate.delegation.boundary') as { dimension: string; values: string[] }[];
  return said.find((one) => one.dimension === dimension)?.values;
};
const counts = async (): Promise<number[]> => {
  const { read } = office.server.database;
  return [await read.count(delegations), await read.count(consents), await read.count(roles)];
};

/** What the caller is told, with the value in question taken out. */
const told = (error: unknown, value: string): string => JSON.stringify(error).replaceAll(value, 'VALUE');
const toldOf = ({ errors, data }: Answer, value: string): string => {
  expect(data).toBeNull();
  return told(
    { message: errors[0]?.message, code: errors[0]?.extensions.code, hint: errors[0]?.extensions.hint },
    value,
  );
};

const nothing: readonly [string, string][] = [
  ['customer', noId],
  ['customer', unknownNumber],
  ['customer', 'Café "Nine"'],
  ['region', 'Europe'],
  ['collection', 'no-such-collection'],
  ['classification', 'PUBLIC'],
];

describe('29 a value of a boundary names something within the giver’s reach', () => {
  test.each(nothing)('delegate refuses %s: %s, and makes nothing', async (dimension, value) => {
    const before = await counts();
    const answer = await delegate(wide, { [dimension]: [value] });
    expect(answer.data).toBeNull();
    expect(answer.errors[0]?.message).toContain(value);
    const path = `boundary.${dimension}`;
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path });
    expect(await counts()).toEqual(before);
  });

  test('one that names nothing among others is enough to refuse', async () => {
    const answer = await delegate(wide, { customer: [here.number, unknownNumber] });
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'boundary.customer' });
  });

  test('a customer may be named by its number, and the boundary has its id', async () => {
    expect(valuesOf(await delegate(wide, { customer: [here.number] }), 'customer')).toEqual([here.id]);
    const both = await delegate(wide, { customer: [here.number, here.id, elsewhere.number] });
    expect(valuesOf(both, 'customer')).toEqual([here.id, elsewhere.id].sort());
    const token = await office.tokenOf(wide.agent, at(both, 'delegate.delegation.id') as string);
    const seen = await office.server.query(token, '{ customers { totalCount } }');
    expect(at(seen, 'customers.totalCount')).toBe(2);
  });

  test('what is there is taken, and so is an empty list', async () => {
    const by = await makeCase(office);
    const scopes = ['customers:read', 'documents:read', 'delegations:create', 'delegations:read'];
    await changeRole(office, by.personRoleId, { scopes });
    const there = { region: ['europe'], collection: ['hr'], classification: ['public'], person: [] };
    const answer = await delegate(by, { ...there, customer: [] }, ['customers:read']);
    expect(valuesOf(answer, 'region')).toEqual(['europe']);
    expect(valuesOf(answer, 'customer')).toEqual([]);
  });

  test('what is there and out of reach equals what is not there', async () => {
    for (const [hidden, missing] of [
      [elsewhere.id, noId],
      [elsewhere.number, unknownNumber],
    ] as const) {
      const refusal = toldOf(await delegate(european, { customer: [hidden] }), hidden);
      expect(refusal).toContain('BAD_USER_INPUT');
      expect(refusal).toBe(toldOf(await delegate(european, { customer: [missing] }), missing));
    }
    const outside = toldOf(await delegate(european, { region: [elsewhere.region] }), elsewhere.region);
    expect(outside).toContain('FORBIDDEN');
    expect(outside).toBe(toldOf(await delegate(european, { region: ['nowhere'] }), 'nowhere'));
    expect(valuesOf(await delegate(european, { customer: [here.number] }), 'customer')).toEqual([here.id]);
  });

  test('who cannot read numbers cannot find out by them, and who sees no collection learns of none', async () => {
    const by = await makeCase(office);
    const scopes = ['tickets:read', 'delegations:create', 'delegations:read'];
    await changeRole(office, by.personRoleId, { scopes });
    const refusal = toldOf(await delegate(by, { customer: [here.number] }, ['tickets:read']), here.number);
    const same = toldOf(await delegate(by, { customer: [unknownNumber] }, ['tickets:read']), unknownNumber);
    expect(refusal).toBe(same);
    const known = await delegate(by, { customer: [here.id] }, ['tickets:read']);
    expect(valuesOf(known, 'customer')).toEqual([here.id]);
    const hidden = toldOf(await delegate(by, { collection: ['hr'] }, ['tickets:read']), 'hr');
    expect(hidden).toBe(toldOf(await delegate(by, { collection: ['xyzzy'] }, ['tickets:read']), 'xyzzy'));
  });

  test('what the giver’s own boundary names may be said again', async () => {
    const by = await makeCase(office);
    const boundary = boundaryInput({ collection: ['to-come'], person: ['self'] });
    await changeRole(office, by.personRoleId, { boundary });
    expect(valuesOf(await delegate(by, { collection: ['to-come'] }), 'collection')).toEqual(['to-come']);
  });

  test('a consent and the exchange under it keep to the same', async () => {
    const before = await counts();
    const refused = await consent(european, { customer: [elsewhere.number] });
    expect(refused.errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      path: 'boundary.customer',
    });
    expect(await counts()).toEqual(before);
    expect((await consent(european, {})).errors).toEqual([]);
    const { access_token: token } = await office.signIn(european.person);
    const exchange = (customer: string[]): Promise<TokenAnswer> =>
      office.exchange(european.agent, token, { task: 'ticket:T-1', purpose: 'It', boundary: { customer } });
    const made = await counts();
    const answers = [await exchange([elsewhere.number]), await exchange([unknownNumber])];
    expect(answers.map(({ body }) => body.error)).toEqual(Array(2).fill('invalid_authorization_details'));
    expect(told(answers[0], elsewhere.number)).toBe(told(answers[1], unknownNumber));
    expect(await counts()).toEqual(made);
    const seen = await office.server.query(
      given(await exchange([here.number])),
      '{ customers { nodes { id } } }',
    );
    expect(at(seen, 'customers.nodes')).toEqual([{ id: here.id }]);
  });

  test('so does an agent that hands on', async () => {
    const handed = (customer: string[]): Promise<TokenAnswer> =>
      office.exchange(wide.next, wide.token, { boundary: { customer } });
    const before = await counts();
    expect((await handed([unknownNumber])).body.error).toBe('invalid_authorization_details');
    expect(await counts()).toEqual(before);
    const seen = await office.server.query(
      given(await handed([here.number])),
      '{ customers { nodes { id } } }',
    );
    expect(at(seen, 'customers.nodes')).toEqual([{ id: here.id }]);
  });

  test('a role is refused what can never be a value, and may name what comes later', async () => {
    const id = await makeRole(office, 'PERSON', ['customers:read']);
    const never: [string, string][] = [
      ['customer', here.number],
      ['classification', 'secret'],
      ['person', 'rosa'],
    ];
    for (const [dimension, value] of never) {
      const boundary = boundaryInput({ [dimension]: [value] });
      const path = `"path":"boundary.${dimension}"`;
      await expect(changeRole(office, id, { boundary })).rejects.toThrow(path);
    }
    const later = { customer: [noId], collection: ['later'], region: ['moon'], person: ['self'] };
    await changeRole(office, id, { boundary: boundaryInput(later) });
  });
});
