// databases: sqlite, mariadb
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { eq } from '../../src/store/sql/condition.js';
import { grantableRoles, userRoles } from '../../src/store/tables/identity.js';
import { CommandLine } from '../support/command-line.js';
import { Files } from '../support/files.js';
import { recordOf } from '../support/records.js';
import { inCountry, RentalCompany, rentalsSdl } from '../support/rentals.js';
import { postGraphQL, TestServer, type Answer } from '../support/server.js';

// Code runs in the built server, a process of its own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const read = '@scope(name: "rentals:read")';
const codeSdl = `extend schema @defineScope(name: "rentals:return", description: "Take rentals back.")

extend type Query {
  "Rentals that are out."
  openRentals("How many." first: Int @plain, "Where to go on." after: String @plain): RentalConnection ${read}
  "What code can reach."
  reach: String ${read}
}
extend type Mutation {
  "Takes a rental back."
  returnRental(
    "Its id."
    rentalId: ID! @plain
    "What to note."
    note: String! @plain @writes(fields: "Rental.returned")
    "The same key with the same input gives the first answer again."
    idempotencyKey: String! @plain
  ): ReturnRentalPayload @scope(name: "rentals:return")
  "Moves a rental to the store of another one."
  moveRental(
    "Its id." rentalId: ID! @plain
    "The number of the store." store: Int! @plain
    "Any key." idempotencyKey: String! @plain
  ): ReturnRentalPayload @scope(name: "rentals:return")
  "Adds a rental."
  addRental(
    "Its number." number: Int! @plain
    "The store." store: Int! @plain
    "Any key." idempotencyKey: String! @plain
  ): ReturnRentalPayload @scope(name: "rentals:return")
}
"What came of it."
type ReturnRentalPayload {
  "The rental."
  rental: Rental ${read}
}
`;
const sdl = rentalsSdl.replace(
  '  "The fee."',
  `  "Whether it is out."\n  state: String! ${read} @code\n  "The fee."`,
);
const code = `
import { conflict, defineDomain, isNull, reads } from 'behalf/domain';

const attempt = async (work) => {
  try {
    return JSON.stringify(await work());
  } catch (error) {
    return error.message;
  }
};
const sql = { kind: 'sql', sql: { text: '1 = 1 OR EXISTS (SELECT 1 FROM behalf_users)', params: [] } };

export default defineDomain({
  resolvers: {
    Query: {
      openRentals: (_root, page, { rows }) =>
        rows.of('Rental').list({ ...page, where: isNull('$returned'), order: [{ column: '$rental_no', direction: 'asc' }] }),
      reach: async (_root, _args, operation) => {
        const rentals = operation.rows.of('Rental');
        const [row] = (await rentals.list({})).nodes;
        return JSON.stringify({
          operation: Object.keys(operation),
          rows: Object.keys(operation.rows),
          rentals: Object.keys(rentals),
          users: await attempt(() => operation.rows.of('User')),
          sql: await attempt(() => rentals.find(sql)),
          op: await attempt(() => rentals.find({ kind: 'compare', column: '$fee', op: '= 1 OR 1 =', value: 1 })),
          column: await attempt(() => rentals.find(isNull('$inner_note'))),
          update: await attempt(() => rentals.update(row.id, { $fee: 0 })),
          insert: await attempt(() => rentals.insert({ $rental_no: 9 })),
          frozen: await attempt(() => (row.$fee = 0)),
          person: operation.authority.person.name,
          may: [operation.authority.allows('rentals:read'), operation.authority.allows('rentals:return')],
        });
      },
    },
    Mutation: {
      returnRental: (_root, { rentalId, note, idempotencyKey }, operation) =>
        operation.once(idempotencyKey, { rentalId, note }, { rental: 'Rental' }, async () => {
          const rentals = operation.rows.of('Rental');
          const before = await rentals.lock(rentalId);
          if (before.$returned !== null) throw conflict('It is back already.');
          const rental = await rentals.update(rentalId, { $returned: note });
          if (note === 'broken') throw new Error('an inner secret');
          return { rental };
        }),
      moveRental: (_root, { rentalId, store, idempotencyKey }, { rows, once }) =>
        once(idempotencyKey, { rentalId, store }, { rental: 'Rental' }, async () => ({
          rental: await rows.of('Rental').update(rentalId, { $store_no: store }),
        })),
      addRental: async (_root, { number, store, idempotencyKey }, { rows, once }) => {
        const add = async () => ({
          rental: await rows.of('Rental').insert({ ...(number > 0 && { $rental_no: number }), $store_no: store, $fee: 1 }),
        });
        if (number === 11) return add();
        return once(idempotencyKey, { number, store }, number === 12 ? {} : { rental: 'Rental' }, add);
      },
    },
    Rental: { state: reads(['$returned'], (row) => (row.$returned === null ? 'OUT' : 'BACK')) },
  },
});
`;

let company: RentalCompany;
/** Makes callers; the requests go to the built server on the same database. */
let callers: TestServer;
let cli: CommandLine;

beforeAll(async () => {
  company = await RentalCompany.open({
    'schema/rentals.graphql': sdl,
    'schema/own.graphql': codeSdl,
    'code/rentals.mjs': code,
    'code/notes.ts': 'this is only compiled by its owner',
  });
  callers = await TestServer.start({}, {}, { databaseUrl: company.fresh.url });
  const settings = { BEHALF_COMPANY: company.folder };
  const maker = await CommandLine.open({ ...settings, DATABASE_URL: company.fresh.url });
  const url = await company.grantedUrl(maker, [
    'UPDATE (returned, store_no, changes)',
    'INSERT (rental_no, store_no, fee)',
  ]);
  await maker.close();
  cli = await CommandLine.open({ ...settings, DATABASE_URL: url, BEHALF_PUBLIC_URL: callers.publicUrl });
  await cli.start();
});
afterAll(async () => {
  await cli.close();
  await callers.stop();
  await company.drop();
});

const scopes = ['rentals:read', 'rentals:return'];
const inCanada = { scopes, boundary: inCountry('Canada') };

/** A token for company scopes, which the server of the callers does not know. */
async function token(rights: {
  scopes: readonly string[];
  boundary: ReturnType<typeof inCountry>;
}): Promise<string> {
  const person = await callers.person(rights);
  return callers.token(person.id, undefined, [...rights.scopes, 'session:read']);
}
const ask = (bearer: string, query: string, variables: object = {}): Promise<Answer> =>
  postGraphQL(cli.url, bearer, JSON.stringify({ query, variables }));
const rentals = () => callers.database.read.query('SELECT * FROM rental ORDER BY rental_no');
const idOf = async (bearer: string, number: number): Promise<string> => {
  const answer = await ask(bearer, `{ rentals(filter: { number: ${String(number)} }) { nodes { id } } }`);
  return (answer.data as { rentals: { nodes: { id: string }[] } }).rentals.nodes[0]?.id ?? '';
};
const returning = `mutation ($id: ID!, $note: String!, $key: String!) {
  returnRental(rentalId: $id, note: $note, idempotencyKey: $key) { rental { number state returned version store { country } } }
}`;

describe("a company's own code", () => {
  test('gives root fields and fields of its types, inside the boundary', async () => {
    const canada = await token(inCanada);
    const query =
      '{ openRentals { totalCount nodes { number state store { country } } } rentals { nodes { number state } } }';
    const answer = await ask(canada, query);
    expect([answer.errors, answer.data]).toEqual([
      [],
      {
        openRentals: { totalCount: 1, nodes: [{ number: 1, state: 'OUT', store: { country: 'Canada' } }] },
        rentals: {
          nodes: [
            { number: 1, state: 'OUT' },
            { number: 2, state: 'BACK' },
          ],
        },
      },
    ]);
    const none = await token({ scopes: ['collections:read'], boundary: inCountry('Canada') });
    expect((await ask(none, '{ openRentals { totalCount } }')).errors[0]?.message).toContain(
      'Cannot query field "openRentals"',
    );
  });

  test('reaches nothing but bounded rows, and writes nothing outside of a mutation', async () => {
    const before = await rentals();
    const answer = await ask(await token({ ...inCanada, scopes: ['rentals:read'] }), '{ reach }');
    expect(answer.errors).toEqual([]);
    expect(JSON.parse((answer.data as { reach: string }).reach)).toEqual({
      operation: ['id', 'authority', 'clock', 'ids', 'rows', 'once'],
      rows: ['of'],
      rentals: ['get', 'find', 'list', 'lock', 'update', 'insert', 'idOf'],
      users: 'No type User of this company has a table. There are: Store, Rental.',
      sql: expect.stringContaining('There is no condition of the kind sql'),
      op: 'There is no comparison = 1 OR 1 =.',
      column: expect.stringContaining('Rental has no column $inner_note. It has $rental_no'),
      update: 'Only the resolver of a mutation writes: Rental is read here.',
      insert: 'Only the resolver of a mutation writes: Rental is read here.',
      frozen: expect.stringContaining("Cannot assign to read only property '$fee'"),
      person: expect.stringMatching(/^person-/),
      may: [true, false],
    });
    expect(await rentals()).toEqual(before);
  });

  test('a mutation of it runs once for its key, with its record', async () => {
    const canada = await token(inCanada);
    const id = await idOf(canada, 1);
    const first = await ask(canada, returning, { id, note: 'today', key: 'k1' });
    expect([first.errors, first.data]).toEqual([
      [],
      {
        returnRental: {
          rental: { number: 1, state: 'BACK', returned: 'today', version: '1', store: { country: 'Canada' } },
        },
      },
    ]);
    expect(await recordOf(callers.database, first)).toMatchObject({
      outcome: 'succeeded',
      operation: { type: 'mutation' },
      resources: expect.arrayContaining([
        expect.objectContaining({ type: 'Rental', action: 'update', count: 1, ids: [id] }),
      ]),
    });
    expect((await ask(canada, returning, { id, note: 'today', key: 'k1' })).data).toEqual(first.data);
    const other = await ask(canada, returning, { id, note: 'tomorrow', key: 'k1' });
    expect(other.errors[0]?.extensions.code).toBe('CONFLICT');
    const again = await ask(canada, returning, { id, note: 'today', key: 'k2' });
    expect(again.errors[0]).toMatchObject({
      message: 'It is back already.',
      extensions: { code: 'CONFLICT' },
    });
    expect((await rentals())[0]).toMatchObject({ returned: 'today' });
  });

  test('a mutation of it is bounded before and after, refused without its scope, and rolled back on an error', async () => {
    const everywhere = await token({ scopes, boundary: inCountry('Canada', 'Australia') });
    const canada = await token(inCanada);
    const [mine, theirs] = [await idOf(canada, 2), await idOf(everywhere, 3)];
    const before = await rentals();
    const code = async (bearer: string, query: string, variables: object = {}) =>
      (await ask(bearer, query, variables)).errors[0]?.extensions.code;
    expect(await code(canada, returning, { id: theirs, note: 'n', key: 'k3' })).toBe('NOT_FOUND');
    const move =
      'mutation ($id: ID!) { moveRental(rentalId: $id, store: 2, idempotencyKey: "m") { rental { number } } }';
    const add = (number: number, store: number): string =>
      `mutation { addRental(number: ${String(number)}, store: ${String(store)}, idempotencyKey: "a") { rental { number customer state } } }`;
    expect(await code(canada, move, { id: mine })).toBe('NOT_FOUND');
    expect(await code(canada, add(10, 2))).toBe('NOT_FOUND');
    // It would add the row again, or give it again to whoever may not see it any more.
    expect(await code(canada, add(11, 1))).toBe('INTERNAL');
    expect(await code(canada, add(12, 1))).toBe('INTERNAL');
    const reader = await token({ ...inCanada, scopes: ['rentals:read'] });
    expect((await ask(reader, returning, { id: mine, note: 'n', key: 'k4' })).errors[0]?.message).toContain(
      'Cannot query field "returnRental"',
    );
    // The column holds 40 characters.
    const long = { id: theirs, note: 'x'.repeat(41), key: 'k6' };
    expect(await code(everywhere, returning, long)).toBe('BAD_USER_INPUT');
    const failed = await ask(everywhere, returning, { id: theirs, note: 'broken', key: 'k5' });
    expect(failed.errors[0]).toMatchObject({ extensions: { code: 'INTERNAL' } });
    expect(JSON.stringify(failed.errors)).not.toContain('secret');
    expect(await recordOf(callers.database, failed)).toMatchObject({ outcome: 'failed' });
    expect(await rentals()).toEqual(before);
    const added = await ask(canada, add(10, 1));
    const row = { customer: 'nobody', state: 'OUT' };
    expect([added.errors, added.data]).toEqual([[], { addRental: { rental: { number: 10, ...row } } }]);
    // The database makes the key and the customer.
    const made = await ask(canada, add(0, 1).replace('"a"', '"b"'));
    const number = Number((await rentals()).at(-1)?.rental_no);
    expect([made.errors, made.data]).toEqual([[], { addRental: { rental: { number, ...row } } }]);
    expect(number).toBeGreaterThan(10);
    expect(await code(canada, add(10, 1).replace('"a"', '"c"'))).toBe('CONFLICT');
    expect(await rentals()).toHaveLength(before.length + 2);
  });

  test.each([
    [
      'without a file',
      { 'code/rentals.mjs': undefined },
      [
        /- schema\/own\.graphql:\d+: Query\.openRentals has no resolver/,
        /- schema\/own\.graphql:\d+: Mutation\.addRental has no resolver/,
        /- schema\/rentals\.graphql:\d+: Rental\.state has no resolver/,
      ],
    ],
    [
      'with files that are none',
      {
        'code/a.mjs': 'throw new Error("out of order");',
        'code/b.mjs': 'export default {',
        'code/c.mjs': 'export default { resolvers: {} };',
        'code/d.mjs': wrapped('{ Query: { reach: 1 } }'),
        'code/e.js': 'module.exports = 1;',
      },
      [
        /- code\/a\.mjs: It cannot be imported: out of order/,
        /- code\/b\.mjs: It cannot be imported: /,
        /- code\/c\.mjs: Its default export is made by defineDomain/,
        /- code\/d\.mjs: Its resolver of Query\.reach is no function/,
        /- code\/e\.js: Its default export is made by defineDomain/,
      ],
    ],
    [
      'with resolvers that the schema does not ask for',
      {
        'schema/x.graphql': 'extend type Mutation {\n  twice: Int @scope(name: "rentals:return")\n}',
        'code/x.mjs': wrapped(
          "{ Query: { reach() {}, customers() {} }, Rental: { fee() {}, state: reads(['$back'], () => 1) } }",
        ),
      },
      [
        /- schema\/x\.graphql:2: Mutation\.twice is a mutation without `idempotencyKey: String! @plain`/,
        /- code\/x\.mjs: Query\.reach has a resolver in code\/rentals\.mjs too/,
        /- code\/x\.mjs: There is a resolver for Query\.customers, which no file of schema\/ declares/,
        /- code\/x\.mjs: Rental\.state reads the column \$back, which Rental does not have/,
        /- code\/x\.mjs: Rental\.fee is read from its table \(schema\/rentals\.graphql:\d+\): mark it @code/,
      ],
    ],
  ])('%s, nothing starts', async (_what, texts, faults) => {
    const changed: [string, string | undefined][] = Object.entries(texts);
    for (const [name, text] of changed) {
      if (text === undefined) company.remove(name);
      else company.write(name, text);
    }
    try {
      const { code: exit, stderr } = await cli.run(['start']);
      expect(exit).toBe(1);
      for (const fault of faults) expect(stderr).toMatch(fault);
    } finally {
      for (const [name] of changed) company.remove(name);
      company.write('code/rentals.mjs', code);
    }
  });
});

describe('the page about the company folder', () => {
  test('has a folder that can be served and applied', async () => {
    const page = readFileSync(new URL('../../docs/company-folder.md', import.meta.url), 'utf8');
    const blocks = [...page.matchAll(/```\w+\n(?:#|\/\/) company\/(\S+)\n([\s\S]*?)```/g)];
    expect(blocks.map(([, path]) => path)).toEqual([
      'roles/rental-desk.yaml',
      'operations/open-rentals.graphql',
      'schema/returns.graphql',
      'code/rentals.mjs',
    ]);
    const folder = new Files({ 'schema/rentals.graphql': sdl });
    for (const [, path = '', text = ''] of blocks) folder.write(path, text);
    try {
      const { stdout, stderr } = await cli.run(['check', folder.folder]);
      expect([stderr, stdout]).toEqual(['', expect.stringContaining('can be served: Rental, Store.')]);
      const administrator = await callers.person({ scopes: ['roles:manage', 'operations:register'] });
      const [held] = await callers.database.read.select(userRoles, eq('userId', administrator.id));
      await callers.database.transaction((tx) =>
        tx.insert(grantableRoles, [{ userId: administrator.id, roleId: held?.roleId ?? '' }]),
      );
      const applied = await cli.run(['apply', folder.folder, '--as', administrator.name, '--dry-run']);
      expect([applied.stderr, applied.stdout.split('\n').slice(0, 2)]).toEqual([
        '',
        ['+ role rental-desk', '+ operation OpenRentals'],
      ]);
    } finally {
      folder.remove();
    }
  });
});

function wrapped(resolvers: string): string {
  return `import { defineDomain, reads } from 'behalf/domain';\nexport default defineDomain({ resolvers: ${resolvers} });`;
}
