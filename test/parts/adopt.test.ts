// databases: sqlite, mariadb
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import { Adopted, staffTables } from '../support/adopted.js';
import { everywhere } from '../support/server.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describe('adopting tables', () => {
  let adopted: Adopted;
  beforeAll(async () => {
    adopted = await Adopted.of(staffTables);
  });
  afterAll(() => adopted.drop());

  test('writes a file for each, tells what cannot be shown, and keeps what is there', async () => {
    const told = await adopted.cli.ok(['adopt', '--out', 'company']);
    expect(readdirSync(join(adopted.folder, 'schema')).sort()).toEqual([
      'customer.graphql',
      'staff members.graphql',
      'stores.graphql',
    ]);
    expect(told).toContain('staff members: place (point) cannot be shown');
    expect(told).toContain('loose: it has no primary key');
    const path = join(adopted.folder, 'schema', 'staff members.graphql');
    // Days are texts in SQLite.
    const proposed = readFileSync(path, 'utf8').replace('joined: Date ', 'joined: String ');
    expect(proposed).toMatchInlineSnapshot(`
      "extend schema
        @defineScope(name: "staff_members:read", description: "Read staff members.")
        @defineScope(name: "staff_members:read_personal", description: "Read personal data of staff members.")

      "A row of the table staff members."
      type StaffMember
        @table(name: "staff members", one: "staff member", many: "staff members", order: { by: "joined" })
        @query(one: "staffMember", list: "staffMembers")
        # To be decided: for each dimension (customer, region, collection, classification, person), where a row's value is found, as in
        # { dimension: "region", path: "store.region" }, or that it has none.
        @rows(scope: "staff_members:read", bounds: [], unbounded: []) {
        "The staff member's id."
        id: ID! @scope(name: "staff_members:read")
        "The column first_name."
        firstName: String @scope(name: "staff_members:read_personal") @personal
        "The column Salary."
        salary: Decimal @scope(name: "staff_members:read_personal") @personal @column(name: "Salary")
        "The column joined."
        joined: String @scope(name: "staff_members:read")
        "The store."
        store: Store @scope(name: "stores:read") @reference(column: "store_id")
        # left out: place (point)
      }
      "
    `);
    writeFileSync(path, `# mine\n${readFileSync(path, 'utf8')}`);
    expect(await adopted.cli.json(['adopt', '--out', 'company'])).toMatchObject({
      written: [],
      kept: ['customer.graphql', 'staff members.graphql', 'stores.graphql'],
    });
    expect(readFileSync(path, 'utf8')).toMatch(/^# mine\n/);
    const wrong = await adopted.cli.run(['adopt', '--out', 'company', '--table', 'customers']);
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining(
        'There is no table customers to adopt. There are: customer, loose, staff members, stores.',
      ),
    ]);
  });

  test('opens nothing: the server does not start before somebody decides', async () => {
    const refusal = await adopted.refusal();
    const told = await adopted.cli.run(['check', 'company']);
    expect([told.code, told.stderr]).toEqual([
      1,
      expect.stringMatching(
        /\n- schema\/stores\.graphql:\d+: Store must either bound or name as unbounded: customer, region, collection, classification, person\.\n/,
      ),
    ]);
    for (const type of ['StaffMember', 'Store'])
      expect(refusal).toContain(
        `${type} must either bound or name as unbounded: customer, region, collection, classification, person.`,
      );
  });

  test('shows what was decided, to whom a role of its own is given, inside the boundary', async () => {
    adopted.decide({ Store: 'country', StaffMember: 'store.country' });
    expect(await adopted.cli.json(['check', 'company'])).toEqual({
      types: ['CustomerRow', 'StaffMember', 'Store'],
      warnings: expect.arrayContaining([
        expect.stringMatching(
          /^schema\/stores\.graphql:\d+: stores\.country is (?:sorted|a boundary), and no index begins with it\.$/,
        ),
      ]) as string[],
    });
    const printed = await adopted.cli.run(['schema', 'print', 'StoreConnection'], {
      BEHALF_COMPANY: adopted.folder,
    });
    expect(printed.stdout).toContain('nodes: [Store!]! @scope(name: "stores:read")');
    const server = await adopted.start();
    try {
      const query = '{ staffMembers { totalCount nodes { joined firstName salary store { country } } } }';
      const boundary = { ...everywhere, store: ['Canada'] };
      const some = await server.person({ scopes: ['staff_members:read', 'stores:read'], boundary });
      const answer = await server.query(some.token, query.replace('firstName salary ', ''));
      expect([answer.errors, answer.data]).toEqual([
        [],
        { staffMembers: { totalCount: 1, nodes: [{ joined: '2020-01-01', store: { country: 'Canada' } }] } },
      ]);
      const all = await server.person({
        scopes: ['staff_members:read', 'staff_members:read_personal', 'stores:read'],
        boundary,
      });
      const personal = await server.query(all.token, query);
      expect(personal.data).toMatchObject({ staffMembers: { nodes: [{ firstName: 'Ann' }] } });
      // No role that ships sees that any of it exists.
      for (const role of shippedRoles) {
        const person = await server.person({ scopes: role.scopes });
        const told = await server.query(
          person.token,
          '{ stores { totalCount } staffMembers { totalCount } customerRows { totalCount } }',
        );
        expect(told.data ?? null).toBeNull();
        const known = await server.query(
          person.token,
          '{ a: __type(name: "Store") { name } b: __type(name: "StaffMember") { name } c: __type(name: "CustomerRow") { name } }',
        );
        expect(known.data).toEqual({ a: null, b: null, c: null });
      }
    } finally {
      await server.stop();
    }
  });
});
