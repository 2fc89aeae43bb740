// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { auditRecords } from '../../src/store/tables/audit.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { consents, delegations } from '../../src/store/tables/identity.js';
import { Company, type Employee } from '../support/administration.js';
import { BusinessRows } from '../support/business.js';
import { CommandLine, type Ended } from '../support/command-line.js';

// Each command is a process of its own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let company: Company;
let cli: CommandLine;
let rosa: Employee;
let customer: string;

beforeAll(async () => {
  company = await Company.start();
  rosa = await company.employee('rosa', 'support-rep');
  await company.employee('jonas', 'support-rep');
  await company.employee('plain', 'auditor');
  await company.agent('helper', rosa, 'support-agent');
  await company.agent('other', rosa, 'support-agent');
  ({ id: customer } = await new BusinessRows(company.server).customer('C-1042', 'europe'));
  cli = await CommandLine.open({ DATABASE_URL: company.server.databaseUrl });
});
afterAll(async () => {
  await cli.close();
  await company.server.stop();
});

const task = ['--task', 'ticket:T-1', '--purpose', 'Answer it', '--scope', 'tickets:read'];
const create = (...more: string[]): Promise<Ended> =>
  cli.run(['delegation', 'create', 'helper', ...task, ...more, '--json']);
const counts = async (): Promise<[number, number]> => {
  const { read } = company.server.database;
  return [await read.count(delegations), await read.count(consents)];
};
const lastRecord = async () => {
  const rows = await company.server.database.read.select(auditRecords, all());
  return rows
    .map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    .findLast(({ kind }) => kind === 'command');
};

interface Told {
  readonly id: string;
}

test('a task is handed over, told, and taken back, each time with a record of who decided', async () => {
  const made = await create(
    '--boundary',
    'customer=C-1042',
    '--expires-in',
    '2h',
    '--operations',
    '7',
    '--as',
    'rosa',
  );
  expect(made.stderr).toBe('');
  const { id } = JSON.parse(made.stdout) as Told;
  expect(await company.server.database.read.byId(delegations, id)).toMatchObject({
    userId: rosa.id,
    boundary: { customer: [customer], region: 'all' },
    operationsMax: 7,
    scopes: ['tickets:read'],
  });
  expect(await lastRecord()).toMatchObject({
    outcome: 'succeeded',
    operation: { name: 'delegation create' },
    chain: { person: { name: 'rosa' } },
    changes: [{ type: 'Delegation', id, before: null, after: { task: 'ticket:T-1' } }],
  });
  const token = { token: await company.server.token(rosa.id, id, ['tickets:read']) };
  expect((await company.ask(token, '{ tickets(first: 1) { nodes { id } } }')).errors).toEqual([]);

  const [listed] = await cli.json<Told[]>(['delegation', 'list', '--agent', 'helper', '--user', 'rosa']);
  expect(listed).toMatchObject({ id, user: 'rosa', agent: 'helper', status: 'active', task: 'ticket:T-1' });
  const told = await cli.ok(['delegation', 'show', id]);
  expect(told).toContain('rosa → helper as support-agent  active');
  expect(told).toMatch(/operations +1 of 7\n/);
  expect(told).toContain(customer);

  const revoked = await cli.json<{ ended: string[] }>(['delegation', 'revoke', id, '--as', 'root']);
  expect(revoked.ended).toEqual([id]);
  expect((await company.ask(token, '{ tickets(first: 1) { nodes { id } } }')).status).toBe(401);
  expect(await lastRecord()).toMatchObject({
    operation: { name: 'delegation revoke' },
    chain: { person: { name: 'root' } },
    changes: [{ type: 'Delegation', id, after: { status: 'revoked' } }],
  });
  expect(await cli.json(['delegation', 'list', '--status', 'active'])).toEqual([]);
});

test('all tasks of an agent or of a person end at once, and no others', async () => {
  const ofRosa = JSON.parse((await create('--as', 'rosa')).stdout) as Told;
  const ofJonas = JSON.parse((await create('--as', 'jonas')).stdout) as Told;
  expect(
    (await cli.json<{ ended: string[] }>(['delegation', 'revoke', '--user', 'jonas', '--as', 'root'])).ended,
  ).toEqual([ofJonas.id]);
  expect(
    (await cli.json<{ ended: string[] }>(['delegation', 'revoke', '--agent', 'helper', '--as', 'root']))
      .ended,
  ).toEqual([ofRosa.id]);
});

describe('what is refused changes nothing:', () => {
  test.each([
    ['nobody decides', () => create(), '--as USER'],
    ['a person who may not hand over', () => create('--as', 'plain'), 'delegations:create'],
    [
      'a customer that is not there',
      () => create('--boundary', 'customer=C-1', '--as', 'rosa'),
      'within your reach',
    ],
    [
      'a scope that the person lacks',
      () => create('--scope', 'refunds:issue', '--as', 'rosa'),
      'refunds:issue',
    ],
    ['a boundary that is none', () => create('--boundary', 'customer', '--as', 'rosa'), 'dimension=value'],
    ['no choice', () => cli.run(['delegation', 'revoke', '--as', 'root']), 'Say which'],
    [
      'an unknown agent',
      () => cli.run(['delegation', 'revoke', '--agent', 'nobody', '--as', 'root']),
      'no agent nobody',
    ],
  ])('%s', async (_name, run, text) => {
    const before = await counts();
    const ended = await run();
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toContain(text);
    expect(await counts()).toEqual(before);
  });

  test('someone else’s task, by a person who may end only their own', async () => {
    const { id } = JSON.parse((await create('--as', 'rosa')).stdout) as Told;
    const ended = await cli.run(['delegation', 'revoke', id, '--as', 'jonas']);
    expect([ended.code, ended.stderr]).toEqual([
      1,
      expect.stringContaining('delegations:revoke does not reach'),
    ]);
    expect((await company.server.database.read.byId(delegations, id))?.status).toBe('active');
  });
});

test('consents are listed and withdrawn, and what rests on them ends', async () => {
  const give =
    'mutation { giveConsent(input: { agent: "other", scopes: ["tickets:read"] }, idempotencyKey: "c1") { consent { id } } }';
  expect((await company.ask(rosa, give)).errors).toEqual([]);
  const [listed] = await cli.json<Told[]>(['consent', 'list', '--agent', 'other']);
  expect(listed).toMatchObject({
    user: 'rosa',
    agent: 'other',
    role: 'support-agent',
    scopes: ['tickets:read'],
  });
  const made = await cli.run(['delegation', 'create', 'other', ...task, '--as', 'rosa', '--json']);
  const { id } = JSON.parse(made.stdout) as Told;

  const refused = await cli.run(['consent', 'withdraw', listed?.id ?? '', '--as', 'jonas']);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('delegations:revoke does not reach'),
  ]);
  expect(await cli.json(['consent', 'list'])).toHaveLength(1);
  const withdrawn = await cli.json(['consent', 'withdraw', '--user', 'rosa', '--as', 'root']);
  expect(withdrawn).toEqual({ withdrawn: [listed?.id], ended: [id] });
  expect(await lastRecord()).toMatchObject({
    operation: { name: 'consent withdraw' },
    changes: [{ type: 'Consent' }, { type: 'Delegation', id }],
  });
  expect(await cli.json(['consent', 'list'])).toEqual([]);
  expect(await cli.json(['consent', 'list', '--all'])).toHaveLength(1);

  // An expired one is no longer in force, and there is nothing to withdraw.
  expect((await company.ask(rosa, give.replace('c1', 'c2'))).errors).toEqual([]);
  const [inForce] = await cli.json<Told[]>(['consent', 'list']);
  expect(inForce).toMatchObject({ expiresAt: expect.any(String) });
  const expiresAt = '2020-01-01T00:00:00.000Z';
  await company.do(({ tx }) => tx.update(consents, eq('id', inForce?.id ?? ''), { expiresAt }));
  expect(await cli.json(['consent', 'list'])).toEqual([]);
  expect(await cli.json(['consent', 'list', '--all'])).toHaveLength(2);
  expect(await cli.json(['consent', 'withdraw', '--user', 'rosa', '--as', 'root'])).toEqual({
    withdrawn: [],
    ended: [],
  });
});
