// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createUser } from '../../../src/admin/users.js';
import { upsertImportedDocument } from '../../../src/domains/knowledge/document-writes.js';
import { Company, codes, key, type Employee } from '../../support/administration.js';
import { digestOf } from '../../support/faults.js';

let company: Company;
let owner: Employee;
let agentId: string;
let roleId: string;

beforeAll(async () => {
  company = await Company.start();
  owner = await company.employee('owner', 'support-rep');
  agentId = (await company.agent('helper', owner, 'support-agent')).id;
  roleId = (await company.role('support-agent')).id;
});
afterAll(() => company.server.stop());

const turned = 'Rosa \u202edniL\u202c';
const said = JSON.stringify(turned);
const keyed = (): string => `idempotencyKey: "${key()}"`;

const changes: readonly (readonly [what: string, path: string, mutation: () => string])[] = [
  [
    'a new account',
    'displayName',
    () => `createUser(input: { name: "rosa", displayName: ${said} }, ${keyed()}) { user { id } }`,
  ],
  [
    'an account',
    'displayName',
    () =>
      `updateUser(id: "${owner.id}", input: { displayName: ${said} }, expectedVersion: 1, ${keyed()}) { user { id } }`,
  ],
  [
    "an account's address",
    'email',
    () =>
      `updateUser(id: "${owner.id}", input: { email: "rosa\u200b@example.com" }, expectedVersion: 1, ${keyed()}) { user { id } }`,
  ],
  [
    'a new agent',
    'displayName',
    () =>
      `createAgent(input: { name: "other", displayName: ${said}, businessTask: "x", ownerId: "${owner.id}" }, ${keyed()}) { agent { id } }`,
  ],
  [
    'what a new agent is for',
    'businessTask',
    () =>
      `createAgent(input: { name: "other", displayName: "Other", businessTask: ${said}, ownerId: "${owner.id}" }, ${keyed()}) { agent { id } }`,
  ],
  [
    "an agent's name",
    'displayName',
    () =>
      `updateAgent(id: "${agentId}", input: { displayName: ${said} }, expectedVersion: 1, ${keyed()}) { agent { id } }`,
  ],
  [
    'an agent',
    'businessTask',
    () =>
      `updateAgent(id: "${agentId}", input: { businessTask: ${said} }, expectedVersion: 1, ${keyed()}) { agent { id } }`,
  ],
  [
    'what a role is for',
    'businessTask',
    () =>
      `updateRole(id: "${roleId}", input: { businessTask: ${said} }, expectedVersion: 1, ${keyed()}) { role { id } }`,
  ],
  [
    'a role',
    'description',
    () =>
      `updateRole(id: "${roleId}", input: { description: ${said} }, expectedVersion: 1, ${keyed()}) { role { id } }`,
  ],
];

describe('22 nobody is told apart by characters that nobody sees', () => {
  test.each(changes)('%s: %s is refused, and nothing changes', async (_what, path, mutation) => {
    const before = await digestOf(company.server.database);
    const answer = await company.ask(company.root, `mutation { ${mutation()} }`);
    expect(codes(answer), JSON.stringify(answer.errors)).toEqual(['BAD_USER_INPUT']);
    expect(answer.errors[0]?.extensions.path).toBe(path);
    expect(await digestOf(company.server.database)).toBe(before);
  });

  test('what a person is asked to hand over, and for what, is refused too', async () => {
    const hand = (purpose: string, task: string): string =>
      `mutation { delegate(input: { agent: "helper", role: "support-agent", scopes: ["tickets:read"], purpose: ${JSON.stringify(purpose)}, task: ${JSON.stringify(task)} }, ${keyed()}) { delegation { id } } }`;
    for (const [purpose, task, path] of [
      [turned, 'ticket:T-1', 'purpose'],
      ['a refund', 'ticket:T-\u2066 1', 'task'],
    ] as const) {
      const answer = await company.ask(owner, hand(purpose, task));
      expect([codes(answer), answer.errors[0]?.extensions.path]).toEqual([['BAD_USER_INPUT'], path]);
    }
  });

  test('the command line and imports use the same function', async () => {
    const at = '2026-01-01T00:00:00.000Z';
    await expect(
      company.do((unit) => createUser(unit, { name: 'rosa', displayName: turned })),
    ).rejects.toThrow('`displayName` has the character U+202E');
    const imported = { source: 's', externalId: 'a.md', collection: 'guides', title: turned, body: 'x' };
    await expect(
      company.do(({ tx, ids }) =>
        upsertImportedDocument(tx, { ...imported, classification: 'public', at, by: 'x' }, ids),
      ),
    ).rejects.toThrow('`title` has the character U+202E');
  });
});
