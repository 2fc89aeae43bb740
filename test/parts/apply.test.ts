// databases: sqlite, mariadb
import { readFileSync, symlinkSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { applyCommand } from '../../src/cli/commands/apply.js';
import { checkCommand } from '../../src/cli/commands/check.js';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { trustedDocuments } from '../../src/store/tables/documents.js';
import {
  agentRoles,
  authorityEpoch,
  delegations,
  grantableRoles,
  roles,
  userRoles,
  type RoleRow,
} from '../../src/store/tables/identity.js';
import { codes } from '../support/administration.js';
import { recordsOf } from '../support/records.js';
import { inCountry, RentalCompany } from '../support/rentals.js';
import { everywhere, type PersonFixture, type TestServer } from '../support/server.js';

const desk = `description: Takes rentals back at the desk.
businessTask: Answer what is rented out
holder: agent
scopes: [rentals:read]
boundary:
  store: [Canada]
  customer: []
  region: []
  collection: []
  classification: []
  person: [self]
limits: { operations: 100, rows: 1000, expirySeconds: 3600, depth: 0 }
`;
const clerk = `name: rental-clerk
description: Works in a store.
businessTask: Run a store
holder: person
scopes:
  - rentals:read
  - delegations:create
boundary: { store: all, customer: [], region: [], collection: [], classification: [], person: [self] }
limits: { operationCost: 5000 }
documents: logged
`;
const openRentals = 'query OpenRentals {\n  rentals { nodes { number } }\n}\n';

let company: RentalCompany;
let server: TestServer;
/** May manage roles and grant role administration, so defines roles with new scopes. */
let admin: PersonFixture;

beforeAll(async () => {
  company = await RentalCompany.open({
    'roles/rental-desk.yaml': desk,
    'roles/clerks.yml': clerk,
    'roles/readme.txt': 'no role',
    'operations/open.graphql': openRentals,
  });
  server = await company.start();
  admin = await administrator(['roles:manage', 'roles:assign', 'operations:register', 'rentals:read']);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});
afterAll(async () => {
  await server.stop();
  await company.drop();
});

/** A person with one role, which they may grant too. */
async function administrator(scopes: readonly string[], boundary = everywhere): Promise<PersonFixture> {
  const person = await server.person({ scopes, boundary: { ...boundary, store: 'all' } });
  const [held] = await server.database.read.select(userRoles, eq('userId', person.id));
  await server.database.transaction((tx) =>
    tx.insert(grantableRoles, [{ userId: person.id, roleId: held?.roleId ?? '' }]),
  );
  return person;
}

/** A command as it is typed; what it writes, and why it ends. */
async function typed(
  command: 'apply' | 'check',
  ...words: string[]
): Promise<{ out: string; error: string }> {
  vi.stubEnv('DATABASE_URL', server.databaseUrl);
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const error = await (command === 'apply' ? applyCommand() : checkCommand())
    .parseAsync([company.folder, ...words], { from: 'user' })
    .then(
      () => '',
      (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
    );
  vi.restoreAllMocks();
  return { out, error };
}
const apply = (...words: string[]) => typed('apply', ...words);
const asAdmin = (...words: string[]) => apply('--as', admin.name, ...words);

/** Everything that applying could change. */
const everything = async () => {
  const { read } = server.database;
  const tables = [roles, grantableRoles, trustedDocuments, authorityEpoch, auditRecords];
  return Promise.all(tables.map(({ name }) => read.query(`SELECT * FROM ${name} ORDER BY 1, 2`)));
};
const withoutRecords = async () => (await everything()).slice(0, 4);
const roleNamed = async (name: string): Promise<RoleRow | undefined> =>
  server.database.read.one(roles, eq<RoleRow>('name', name));
const lastRecord = async () => (await recordsOf(server.database, 'command')).at(-1);

describe('applying a company folder', () => {
  test('a dry run shows the plan and writes nothing', async () => {
    const before = await everything();
    const { out, error } = await asAdmin('--dry-run');
    expect([error, out]).toEqual([
      '',
      [
        '+ role rental-clerk',
        '+ role rental-desk',
        '+ operation OpenRentals',
        '3 new, 0 changed, 0 gone, 0 unchanged.',
        'This was a dry run: nothing was changed.\n',
      ].join('\n'),
    ]);
    expect(await everything()).toEqual(before);
  });

  test('whoever may grant less is refused, which is recorded, and nothing is changed', async () => {
    const narrow = await administrator(['operations:register', 'rentals:read']);
    const within = await administrator(['roles:assign', 'roles:manage', 'operations:register']);
    // Without a grantable set there is nothing within which a role could be made.
    await server.database.transaction((tx) => tx.delete(grantableRoles, eq('userId', within.id)));
    const before = await withoutRecords();
    expect((await apply('--as', narrow.name)).error).toContain('roles:manage');
    expect(await lastRecord()).toMatchObject({
      outcome: 'refused',
      operation: { name: 'apply' },
      chain: { person: { name: narrow.name } },
    });
    const { error } = await apply('--as', within.name);
    expect(error).toMatch(
      /^roles\/clerks\.yml: This role would allow more than the roles for people of your grantable set/,
    );
    expect(await lastRecord()).toMatchObject({ outcome: 'refused', errors: [{ code: 'FORBIDDEN' }] });
    expect((await apply('--as', 'nobody')).error).toContain('There is no user nobody.');
    expect(await withoutRecords()).toEqual(before);
  });

  test('everything is made so in one transaction, with a record of each change', async () => {
    const { out, error } = await asAdmin('--json');
    expect(error).toBe('');
    const report = JSON.parse(out) as { operationId: string; unchanged: number; plan: unknown[] };
    expect(report).toMatchObject({ command: 'apply', dryRun: false, unchanged: 0 });
    expect(report.plan).toHaveLength(3);
    const record = await lastRecord();
    expect(record).toMatchObject({
      operationId: report.operationId,
      outcome: 'succeeded',
      operation: { name: 'apply' },
      chain: { person: { name: admin.name } },
      detail: { plan: ['+ role rental-clerk', '+ role rental-desk', '+ operation OpenRentals'] },
    });
    expect(record?.changes.map(({ type, before }) => [type, before])).toEqual([
      ['Role', null],
      ['Role', null],
      ['TrustedDocument', null],
    ]);
    expect(await roleNamed('rental-desk')).toMatchObject({
      holder: 'agent',
      scopes: ['rentals:read'],
      limits: { operations: 100, rows: 1000, expirySeconds: 3600, depth: 0 },
      documents: 'any',
      shipped: false,
    });
    expect(await roleNamed('rental-clerk')).toMatchObject({
      documents: 'logged',
      limits: { operationCost: 5000 },
    });
  });

  test('a second run changes nothing, records nothing, and says so', async () => {
    const before = await everything();
    expect(await asAdmin()).toEqual({
      out: 'Nothing to change: everything is as the folder says (3 unchanged).\n',
      error: '',
    });
    expect(await everything()).toEqual(before);
  });

  test('a file whose ending is in capital letters takes nothing away', async () => {
    const before = await everything();
    const text = readFileSync(company.path('roles/rental-desk.yaml'), 'utf8');
    company.remove('roles/rental-desk.yaml');
    company.write('roles/rental-desk.YAML', text);
    expect((await asAdmin()).out).toContain('Nothing to change');
    company.remove('roles/rental-desk.YAML');
    company.write('roles/rental-desk.yaml', text);
    expect(await everything()).toEqual(before);
  });

  test('a link to a file is the file, as in a mounted folder, and another link is refused', async () => {
    const before = await everything();
    for (const path of ['roles/rental-desk.yaml', 'operations/open.graphql']) {
      const real = path.replace('/', '/..data/');
      company.write(real, readFileSync(company.path(path), 'utf8'));
      company.remove(path);
      symlinkSync(company.path(real), company.path(path));
    }
    expect((await asAdmin()).out).toContain('Nothing to change');
    symlinkSync('nowhere.yaml', company.path('roles/broken.yaml'));
    expect((await asAdmin()).error).toMatch(/roles\/broken\.yaml is a link that leads to no file/);
    company.remove('roles/broken.yaml');
    expect(await everything()).toEqual(before);
  });

  test('an agent that holds the role works on the tables inside its boundary, by the operation', async () => {
    const person = await server.person({
      scopes: ['rentals:read'],
      boundary: inCountry('Canada', 'Australia'),
    });
    const agent = await server.agent(person, {
      scopes: ['rentals:read'],
      boundary: inCountry('Canada', 'Australia'),
    });
    const role = await roleNamed('rental-desk');
    await server.database.transaction(async (tx) => {
      await tx.update(agentRoles, eq('agentId', agent.id), { roleId: role?.id ?? '' });
      await tx.update(delegations, eq('id', agent.delegationId), { roleId: role?.id ?? '' });
      await bumpEpoch(tx);
    });
    const answer = await server.post(agent.token, JSON.stringify({ documentId: 'OpenRentals' }));
    expect([answer.errors, answer.data]).toEqual([
      [],
      { rentals: { nodes: [{ number: 1 }, { number: 2 }] } },
    ]);
  });

  test('what differs is changed, and told part by part', async () => {
    company.write(
      'roles/rental-desk.yaml',
      desk.replace('store: [Canada]', 'store: [Canada, Australia]').replace('rows: 1000', 'rows: 500'),
    );
    company.write(
      'roles/clerks.yml',
      clerk.replace('  - delegations:create\n', '  - users:read\n').replace(/limits.*\n/, ''),
    );
    company.write('operations/open.graphql', openRentals.replace('number', 'customer'));
    const { out, error } = await asAdmin();
    expect(error).toBe('');
    expect(out.split('\n').slice(0, -2)).toEqual([
      '~ role rental-clerk',
      '    scopes: +users:read, -delegations:create',
      '    limits.operationCost: 5000 → none',
      '~ role rental-desk',
      '    boundary.store: +Australia',
      '    limits.rows: 1000 → 500',
      '~ operation OpenRentals',
      '    another text',
      '0 new, 3 changed, 0 gone, 0 unchanged.',
    ]);
    expect((await lastRecord())?.changes).toMatchObject([
      { type: 'Role', before: { documents: 'logged' }, after: { limits: {} } },
      { type: 'Role', before: { limits: { rows: 1000 } }, after: { limits: { rows: 500 } } },
      { type: 'TrustedDocument', after: { retired: true } },
      { type: 'TrustedDocument', before: null },
    ]);
    expect((await roleNamed('rental-desk'))?.boundary.store).toEqual(['Australia', 'Canada']);
    expect((await roleNamed('rental-clerk'))?.limits).not.toHaveProperty('operationCost');
    expect((await asAdmin()).out).toContain('Nothing to change');
  });

  test('what has no file any more is taken away, and what the folder never made is left alone', async () => {
    const byHand = await server.role('agent', { scopes: ['rentals:read'] });
    const [open] = await server.database.read.select(trustedDocuments, eq('standingName', 'OpenRentals'));
    await server.database.transaction((tx) =>
      tx.insert(trustedDocuments, [
        {
          ...open,
          id: server.ids.next(),
          name: 'ByHand',
          hash: 'h',
          standingName: 'ByHand',
          standingHash: 'h',
        } as never,
      ]),
    );
    company.remove('roles/rental-desk.yaml');
    company.remove('operations/open.graphql');
    const { out, error } = await asAdmin();
    expect(error).toBe('');
    expect(out.split('\n').slice(0, 4)).toEqual([
      '- role rental-desk (loses its scopes)',
      '    scopes: -rentals:read',
      '- operation OpenRentals (is retired)',
      '0 new, 0 changed, 2 gone, 1 unchanged.',
    ]);
    expect((await lastRecord())?.changes).toMatchObject([
      { type: 'Role', before: { scopes: ['rentals:read'] }, after: { scopes: [] } },
      { type: 'TrustedDocument', after: { retired: true } },
    ]);
    expect((await roleNamed('rental-desk'))?.scopes).toEqual([]);
    expect((await server.database.read.byId(roles, byHand))?.scopes).toEqual(['rentals:read']);
    const active = await server.database.read.select(trustedDocuments, all());
    expect(active.filter(({ retiredAt }) => retiredAt === null).map(({ name }) => name)).toEqual(['ByHand']);
    expect((await asAdmin()).out).toContain('Nothing to change');
    const gone = await server.post(admin.token, JSON.stringify({ documentId: 'OpenRentals' }));
    expect(codes(gone)).toEqual(['NOT_FOUND']);
  });

  test('a fault that shows only beside what is registered undoes all of it', async () => {
    company.write('roles/another.yaml', desk);
    company.write(
      'operations/open.graphql',
      'mutation OpenRentals { stopEverything(idempotencyKey: "s") { stopped } }',
    );
    const before = await withoutRecords();
    const { error } = await asAdmin();
    expect(error).toContain(
      'operations/open.graphql: This is a mutation, and the name has stood for a query since',
    );
    expect(await withoutRecords()).toEqual(before);
    expect(await lastRecord()).toMatchObject({
      outcome: 'failed',
      operation: { name: 'apply' },
      changes: [],
    });
    company.remove('roles/another.yaml');
    company.remove('operations/open.graphql');
  });

  test('every fault of every file is told with its line, by check too, and changes nothing', async () => {
    company.write(
      'roles/a-scopes.yaml',
      desk.replace('[rentals:read]', '\n  - rentals:read\n  - rentals:steal\n  - users:manage'),
    );
    company.write('roles/b-shape.yaml', 'description: 12\nholder: robot\nscope: []\n');
    company.write('roles/c-yaml.yaml', 'description: "open\n');
    company.write(
      'roles/d-boundary.yaml',
      desk
        .replace('  region: []\n', '')
        .replace('classification: []', 'classification: [secret]')
        .replace('store:', 'shop:'),
    );
    company.write('roles/e-limits.yaml', desk.replace('rows: 1000', 'rows: 0').replace(', depth: 0', ''));
    company.write('roles/f-twin.yaml', clerk);
    company.write('roles/G.yaml', desk);
    company.write('operations/a.graphql', 'query A {\n  rentals { nodes { nmbr } }\n}\n');
    company.write('operations/b.graphql', '{ rentals { totalCount } }\n');
    company.write('operations/c.graphql', 'query C {\n');
    const before = await everything();
    const { error } = await asAdmin();
    const told = error.split('\n').slice(1);
    const faults = [
      /^roles\/G\.yaml:1: name: A name has lower-case letters/,
      /^roles\/a-scopes\.yaml:6: scopes\.1: There is no scope rentals:steal/,
      /^roles\/a-scopes\.yaml:7: scopes\.2: users:manage is for people only/,
      /^roles\/b-shape\.yaml:1: description: must be a text/,
      /^roles\/b-shape\.yaml:1: businessTask: must be a text/,
      /^roles\/b-shape\.yaml:2: holder: must be agent or person/,
      /^roles\/b-shape\.yaml:1: scopes: must be a list of texts/,
      /^roles\/b-shape\.yaml:1: boundary: must say/,
      /^roles\/b-shape\.yaml:3: scope: is not known here/,
      /^roles\/c-yaml\.yaml:\d: /,
      /^roles\/d-boundary\.yaml:5: boundary: `boundary` does not say/,
      /^roles\/d-boundary\.yaml:6: boundary\.shop: There is no dimension `shop`/,
      /^roles\/d-boundary\.yaml:9: boundary\.classification: "secret" is no/,
      /^roles\/e-limits\.yaml:12: limits: An agent's role needs limits/,
      /^roles\/e-limits\.yaml:12: limits\.rows: `limits\.rows` is between/,
      /^roles\/f-twin\.yaml: roles\/clerks\.yml has a role of this name too/,
      /^operations\/a\.graphql:2: column 21: Cannot query field "nmbr"/,
      /^operations\/b\.graphql: Give the operation a name/,
      /^operations\/c\.graphql:2: /,
    ];
    for (const fault of faults) expect(told).toContainEqual(expect.stringMatching(fault));
    expect(told).toHaveLength(faults.length);
    const checked = await typed('check');
    expect(checked.error.split('\n').slice(1)).toEqual(told.map((fault) => `- ${fault}`));
    expect(await everything()).toEqual(before);
  });
});
