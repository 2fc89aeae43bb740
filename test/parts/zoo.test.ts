// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Company } from '../support/company.js';
import { testDatabase } from '../support/database.js';
import { everywhere, type TestServer } from '../support/server.js';
import {
  mariaDbKeys,
  mariaDbZoo,
  noKeys,
  shownAs,
  sqliteKeys,
  sqliteZoo,
  type ZooColumn,
  type ZooKey,
} from '../support/zoo.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const isMysql = testDatabase() === 'mariadb';
const zoo = isMysql ? mariaDbZoo : sqliteZoo;
const keys = isMysql ? mariaDbKeys : sqliteKeys;
const refused = noKeys[isMysql ? 'mariadb' : 'sqlite'];
const rowsMax = Math.max(...zoo.map(({ values }) => values.length)) + 1;
const numbers = Array.from({ length: rowsMax }, (_, at) => at + 1);
const folded = isMysql ? 'CHARACTER SET latin1' : 'COLLATE NOCASE';
/** Zero dates need a session that is not strict. */
const leniently = isMysql ? "SET STATEMENT sql_mode = '' FOR " : '';

const keyNames = ({ columns }: ZooKey): string[] =>
  columns.map((_, at) => (at === 0 ? 'k' : `k${String(at + 1)}`));

function keyTables(key: ZooKey): string[] {
  const names = keyNames(key);
  const columns = names.map((name, at) => `${name} ${key.columns[at] ?? ''} NOT NULL`).join(', ');
  const kind = key.isUnique === true ? 'UNIQUE' : 'PRIMARY KEY';
  return [
    `CREATE TABLE own_${key.name} (${columns}, note VARCHAR(20) NOT NULL, ${kind} (${key.parts ?? names.join(', ')}))${key.options ?? ''}`,
    `CREATE TABLE kid_${key.name} (no INTEGER PRIMARY KEY, ${columns})`,
    ...key.rows.flatMap((values, at) => [
      `INSERT INTO own_${key.name} VALUES (${values.join(', ')}, '${at === 0 ? 'north' : 'south'}')`,
      `INSERT INTO kid_${key.name} VALUES (${String(at)}, ${values.join(', ')})`,
    ]),
  ];
}

const tables = [
  `CREATE TABLE every_type (no INTEGER PRIMARY KEY, ${zoo.map(({ name, type }) => `\`${name}\` ${type}`).join(', ')}, twice INT AS (no * 2))`,
  ...numbers.map(
    (no) =>
      `${leniently}INSERT INTO every_type (no, ${zoo.map(({ name }) => `\`${name}\``).join(', ')}) ` +
      `VALUES (${String(no)}, ${zoo.map(({ values }) => values[no - 1] ?? 'NULL').join(', ')})`,
  ),
  ...keys.flatMap(keyTables),
  `CREATE TABLE soft (no INTEGER PRIMARY KEY, tenant VARCHAR(20) ${folded} NOT NULL, gone DATETIME, parent INT, area VARCHAR(20) NOT NULL)`,
  `INSERT INTO soft VALUES (1, 'acme', NULL, NULL, 'north'), (2, 'ACME', NULL, 1, 'north'), (3, 'acme', '2026-01-01 00:00:00', 1, 'north'),
     (4, 'acme', NULL, 1, 'north'), (5, 'acme', NULL, 3, 'north'), (6, 'other', NULL, 1, 'north'), (7, 'acme', NULL, 2, 'south')`,
  `CREATE TABLE bounded (no INTEGER PRIMARY KEY, u ${isMysql ? 'UUID' : 'CHAR(36) COLLATE NOCASE'}, e ${isMysql ? "ENUM('low','High','1')" : 'VARCHAR(4) COLLATE NOCASE'},
     l VARCHAR(20) ${folded}, b BIGINT ${isMysql ? 'UNSIGNED' : ''})`,
  `INSERT INTO bounded VALUES (1, '0b1f6c1e-7d0a-4c3e-9a55-0d2f3c4b5a69', 'low', 'ä', ${isMysql ? '18446744073709551615' : '9223372036854775807'}),
     (2, 'ffffffff-0000-1000-8000-00000000000a', 'High', 'A', 9007199254740993), (3, NULL, '1', 'a', 0), (4, NULL, NULL, NULL, NULL)`,
  'CREATE TABLE flock (no INTEGER PRIMARY KEY, secret VARCHAR(20))',
  `CREATE TABLE keeper (no INTEGER PRIMARY KEY, area VARCHAR(20) ${folded} NOT NULL)`,
  'CREATE TABLE pair (flock INT NOT NULL, keeper INT NOT NULL, gone DATETIME, PRIMARY KEY (flock, keeper))',
  'CREATE TABLE bird (no INTEGER PRIMARY KEY, flock INT NOT NULL)',
  "INSERT INTO flock VALUES (1, 's1'), (2, 's2'), (3, 's3'), (4, 's4')",
  "INSERT INTO keeper VALUES (1, 'north'), (2, 'south'), (3, 'North'), (4, 'north')",
  "INSERT INTO pair VALUES (1, 1, NULL), (1, 2, NULL), (1, 4, NULL), (2, 2, NULL), (2, 1, '2026-01-01 00:00:00'), (3, 3, NULL)",
  'INSERT INTO bird VALUES (1, 1), (2, 2), (3, 3), (4, 4)',
  'CREATE VIEW soft_view AS SELECT no, tenant, parent FROM soft',
  ...refused.map(
    (type, at) => `CREATE TABLE no_key_${String(at)} (k ${type} NOT NULL PRIMARY KEY, note VARCHAR(20))`,
  ),
  'CREATE TABLE loose_key (k INT, note VARCHAR(20))',
  'CREATE UNIQUE INDEX one_each ON loose_key (k)',
  `CREATE TABLE misfits (no INTEGER PRIMARY KEY, n ${isMysql ? 'INT UNSIGNED' : 'INTEGER'}, photo ${isMysql ? 'MEDIUMBLOB' : 'BLOB'})`,
  `INSERT INTO misfits VALUES (1, 5, ${isMysql ? 'REPEAT(0x61, 65537)' : 'zeroblob(65537)'})`,
  isMysql
    ? "INSERT INTO misfits VALUES (2, 4294967295, 'text')"
    : "INSERT INTO misfits VALUES (2, 9007199254740993, 'text'), (3, 'abc', NULL)",
];

const nowhere = 'unbounded: ["customer", "region", "collection", "classification", "person"]';
const inRegion = (path: string): string =>
  `bounds: [{ dimension: "region", path: "${path}" }], unbounded: ["customer", "collection", "classification", "person"]`;
const read = '@scope(name: "zoo:read")';
const type = (
  name: string,
  table: string,
  order: string,
  where: string,
  fields: readonly string[],
  more = '',
): string => `
"A thing."
type ${name}
  @table(name: "${table}", one: "thing", many: "things", order: { by: "${order}" }${more})
  @query(one: "one${name}", list: "all${name}")
  @rows(scope: "zoo:read", ${where}) {
  id: ID! ${read}
${fields.map((field) => `  ${field}\n`).join('')}}
`;

const camel = (name: string): string =>
  name.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
const fieldOf = ({ name, of, filters, isSorted }: ZooColumn): string =>
  `${name}: ${of} ${read} @column(name: "${name}") ${filters.map((by) => `@filter(by: ${by}, name: "${name}_${by}")`).join(' ')} ${isSorted ? '@sort' : ''}`;
const list = (names: readonly string[]): string => `[${names.map((name) => `"${name}"`).join(', ')}]`;
const schemaOf = (...parts: readonly string[]): Record<string, string> => ({
  'schema/zoo.graphql': `extend schema @defineScope(name: "zoo:read", description: "See the zoo.") @defineScope(name: "zoo:secret", description: "See secrets.") @defineScope(name: "zoo:write", description: "Change the zoo.")\n${parts.join('')}`,
});
const writing =
  '@create(mutation: "createSoft", scope: "zoo:write") @update(mutation: "updateSoft", scope: "zoo:write") @delete(mutation: "deleteSoft", scope: "zoo:write")';
const softFields = [
  `no: Int! ${read} @column(name: "no") @filter(by: EQUALS) @writable(on: CREATE)`,
  `area: String! ${read} @writable`,
  `tenant: String! ${read} @writable`,
  `version: String! ${read} @version`,
  `parent: Soft ${read} @reference(column: "parent")`,
  `kids: [Soft!] ${read} @children(column: "parent")`,
];
const acme = ', where: [{ column: "tenant", equals: "acme" }, { column: "gone", isNull: true }]';
const schema = schemaOf(
  type('Every', 'every_type', 'no', nowhere, [`no: Int! ${read}`, `twice: Int ${read}`, ...zoo.map(fieldOf)]),
  ...keys.flatMap((key) => [
    type(camel(`own_${key.name}`), `own_${key.name}`, 'note', inRegion('note'), [
      `note: String! ${read}`,
      `kids: [${camel(`kid_${key.name}`)}!] ${read} @children(column: ${list(keyNames(key))})`,
    ]),
    type(camel(`kid_${key.name}`), `kid_${key.name}`, 'no', inRegion('owner.note'), [
      `no: Int! ${read}`,
      `owner: ${camel(`own_${key.name}`)} ${read} @reference(column: ${list(keyNames(key))})`,
    ]),
  ]),
  type('Soft', 'soft', 'no', inRegion('area'), softFields, acme).replace('@query', `${writing}\n  @query`),
  type(
    'SoftSeen',
    'soft_view',
    'no',
    inRegion('parent.area'),
    [`no: Int ${read} @filter(by: AT_LEAST)`, `parent: Soft ${read} @reference(column: "parent")`],
    ', key: ["no"]',
  ),
  type(
    'Bounded',
    'bounded',
    'no',
    `bounds: [{ dimension: "customer", path: "u" }, { dimension: "region", path: "e" }, { dimension: "collection", path: "l" },
      { dimension: "classification", path: "b" }], unbounded: ["person"]`,
    [`no: Int! ${read}`, `u: String ${read}`, `e: String ${read}`, `l: String ${read}`, `b: BigInt ${read}`],
  ),
  type('Keeper', 'keeper', 'no', inRegion('area'), [`no: Int! ${read}`, `area: String! ${read}`]),
  type(
    'Pair',
    'pair',
    'flock',
    inRegion('kept.area'),
    [`flock: Int! ${read}`, `kept: Keeper ${read} @reference(column: "keeper")`],
    ', where: [{ column: "gone", isNull: true }]',
  ),
  type('Flock', 'flock', 'no', inRegion('pairs.kept.area'), [
    `no: Int! ${read}`,
    'secret: String @scope(name: "zoo:secret")',
    `pairs: [Pair!] ${read} @children(column: "flock")`,
  ]),
  type('Bird', 'bird', 'no', inRegion('flock.pairs.kept.area'), [
    `no: Int! ${read}`,
    `flock: Flock ${read} @reference(column: "flock")`,
  ]),
  type('Misfit', 'misfits', 'no', nowhere, [
    `no: Int ${read}`,
    `n: Int ${read}`,
    `exact: String ${read} @column(name: "n") @sort`,
    `photo: String ${read}`,
  ]),
);

let company: Company;
let server: TestServer;
let token: string;
beforeAll(async () => {
  company = await Company.of(tables, schema);
  server = await company.start();
  ({ token } = await server.person({ scopes: ['zoo:read'] }));
});
afterAll(async () => {
  await server.stop();
  await company.drop();
});

const sql = (text: string): Promise<Record<string, unknown>[]> => server.database.read.query(text);
const ask = async (query: string, by = token): Promise<Record<string, never>> => {
  const answer = await server.query(by, query);
  expect([query, answer.errors]).toEqual([query, []]);
  return answer.data as Record<string, never>;
};
type Node = Readonly<Record<string, unknown>>;
const nodesIn = (data: Readonly<Record<string, unknown>>, field: string): Node[] =>
  (data[field] as { nodes: Node[] }).nodes;

/** All rows of a list, in pages. */
async function paged(field: string, args: string, fields: string, size: number): Promise<Node[]> {
  const found: Node[] = [];
  for (let after = '', more = true; more;) {
    const data = await ask(
      `{ ${field}(first: ${String(size)} ${args} ${after}) { nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`,
    );
    const { pageInfo } = data[field] as unknown as { pageInfo: { hasNextPage: boolean; endCursor: string } };
    found.push(...nodesIn(data, field));
    more = pageInfo.hasNextPage;
    after = `after: ${JSON.stringify(pageInfo.endCursor)}`;
    expect(found.length).toBeLessThan(100);
  }
  return found;
}

describe('a column of every type', () => {
  const shown = new Map<string, unknown[]>();

  test('is read as the database writes it', async () => {
    const data = await ask(
      `{ allEvery { totalCount nodes { no twice ${zoo.map(({ name }) => name).join(' ')} } } }`,
    );
    expect(data).toMatchObject({ allEvery: { totalCount: rowsMax } });
    const nodes = nodesIn(data, 'allEvery');
    expect(nodes.map(({ no, twice }) => [no, twice])).toEqual(numbers.map((no) => [no, 2 * no]));
    for (const column of zoo) {
      const rows = await sql(
        `SELECT ${column.text(`\`${column.name}\``)} AS value FROM every_type ORDER BY no`,
      );
      const expected = rows.map(({ value }) => shownAs(column, value as string | null));
      expect([column.name, nodes.map((node) => node[column.name])]).toEqual([column.name, expected]);
      shown.set(column.name, expected);
    }
  });

  test.each(zoo.filter(({ filters }) => filters.length > 0))(
    '$name ($type) is filtered exactly',
    async (column) => {
      const values = shown.get(column.name) ?? [];
      const known = numbers.filter((no) => values[no - 1] !== null);
      const alias = (no: number, by: string): string => `a${String(no)}_${by}`;
      const given = known.flatMap((no) => column.filters.map((by) => ({ no, by })));
      const data = await ask(
        `{ ${given
          .map(({ no, by }) => {
            const value = JSON.stringify(values[no - 1]);
            const written = by === 'ONE_OF' ? `[${value}]` : value;
            return `${alias(no, by)}: allEvery(filter: { ${column.name}_${by}: ${written} }) { nodes { no } }`;
          })
          .join('\n')} }`,
      );
      for (const { no, by } of given) {
        const found = nodesIn(data, alias(no, by)).map((node) => node.no);
        expect([by, values[no - 1], found]).toEqual([
          by,
          values[no - 1],
          await fulfilling(column, no, by, values),
        ]);
      }
    },
  );

  const operators: Readonly<Record<string, string>> = {
    AT_LEAST: '>=',
    AT_MOST: '<=',
    FROM: '>=',
    BEFORE: '<',
  };
  async function fulfilling(
    { name }: ZooColumn,
    no: number,
    by: string,
    values: readonly unknown[],
  ): Promise<unknown[]> {
    const value = values[no - 1];
    if (by === 'STARTS_WITH')
      return numbers.filter(
        (one) => values[one - 1] !== null && String(values[one - 1]).startsWith(String(value)),
      );
    const operator = operators[by];
    if (operator === undefined) return numbers.filter((one) => values[one - 1] === value);
    const rows = await sql(
      `SELECT no FROM every_type WHERE \`${name}\` ${operator} (SELECT \`${name}\` FROM every_type WHERE no = ${String(no)}) ORDER BY no`,
    );
    return rows.map((row) => Number(row.no));
  }

  test.each(zoo.filter(({ isSorted }) => isSorted))(
    '$name ($type) is sorted and paged as the database does',
    async ({ name }) => {
      for (const direction of ['ASC', 'DESC']) {
        const rows = await sql(
          `SELECT no FROM every_type ORDER BY \`${name}\` ${direction}, no ${direction}`,
        );
        const found = await paged('allEvery', `orderBy: { ${name}: ${direction} }`, 'no', 2);
        expect([direction, found.map(({ no }) => no)]).toEqual([direction, rows.map(({ no }) => Number(no))]);
      }
    },
  );

  test('takes no value of another form, and finds none that it cannot hold', async () => {
    const wrong = isMysql
      ? [
          'big_EQUALS: "1x"',
          'big_EQUALS: "18446744073709551616"',
          'bigtext_EQUALS: "01x"',
          'day_FROM: "2026-02-30"',
          'dayText_EQUALS: "x"',
          'price_AT_LEAST: "1e3"',
          'uid_EQUALS: "x"',
          'bin_EQUALS: "?"',
        ]
      : ['wide_EQUALS: "1x"', 'wideText_EQUALS: "x"', 'bin_EQUALS: "?"'];
    for (const filter of wrong) {
      const { errors } = await server.query(token, `{ allEvery(filter: { ${filter} }) { nodes { no } } }`);
      expect([filter, errors.map(({ extensions }) => extensions.code)]).toEqual([filter, ['BAD_USER_INPUT']]);
    }
    const none = isMysql
      ? [
          'latin_EQUALS: "\u{1f600}"',
          'latin_STARTS_WITH: "\u{1f600}"',
          'swedish_EQUALS: "\u{1f600}"',
          'mood_EQUALS: "\u{1f600}"',
          'mood_EQUALS: "0"',
          'price_EQUALS: "0.101"',
          'yr_EQUALS: 5',
          'ubig_AT_MOST: "-1"',
          'ubig_ONE_OF: ["-1", "1"]',
          'big_ONE_OF: ["18446744073709551615", "1"]',
          'whole_AT_LEAST: 2147483647, whole_AT_MOST: 0',
        ]
      : ['ci_EQUALS: "Abc"', 'wide_EQUALS: "18446744073709551615"'];
    for (const filter of none)
      expect([filter, await ask(`{ allEvery(filter: { ${filter} }) { nodes { no } } }`)]).toEqual([
        filter,
        { allEvery: { nodes: [] } },
      ]);
  });
});

describe('a key of every form', () => {
  test.each(keys)('$name names rows', async (key) => {
    const [own, kid] = [camel(`own_${key.name}`), camel(`kid_${key.name}`)];
    const rows = await paged(
      `all${own}`,
      '',
      `id note kids { totalCount nodes { no owner { id note } } }`,
      1,
    );
    const order = await sql(
      `SELECT no FROM own_${key.name} o JOIN kid_${key.name} c ON ${keyNames(key)
        .map((name) => `o.${name} = c.${name}`)
        .join(' AND ')} ORDER BY o.note, ${keyNames(key)
        .map((name) => `o.${name}`)
        .join(', ')}`,
    );
    const expected = order.map(({ no }) => Number(no));
    expect(rows.map(({ kids }) => kids)).toEqual(
      expected.map((no, at) => ({
        totalCount: 1,
        nodes: [{ no, owner: { id: rows[at]?.id, note: rows[at]?.note } }],
      })),
    );
    expect(new Set(rows.map(({ id }) => id)).size).toBe(key.rows.length);
    for (const { id, note } of rows) {
      expect(await ask(`{ one${own}(id: ${JSON.stringify(id)}) { id note } }`)).toEqual({
        [`one${own}`]: { id, note },
      });
      const values = JSON.parse(Buffer.from(String(id), 'base64url').toString()) as string[];
      for (const other of [
        `${values[0] ?? ''} `,
        `0${values[0] ?? ''}`,
        (values[0] ?? '').toUpperCase(),
        `${values[0] ?? ''}.0`,
        '99999999999999999999999',
      ]) {
        const text = Buffer.from(JSON.stringify([other, ...values.slice(1)])).toString('base64url');
        if (rows.some((row) => row.id === text)) continue;
        expect([other, await ask(`{ one${own}(id: ${JSON.stringify(text)}) { id } }`)]).toEqual([
          other,
          { [`one${own}`]: null },
        ]);
      }
    }
    const north = await server.person({
      scopes: ['zoo:read'],
      boundary: { ...everywhere, region: ['north'] },
    });
    expect(
      await ask(
        `{ all${own} { totalCount nodes { note } } all${kid} { totalCount nodes { no } } }`,
        north.token,
      ),
    ).toEqual({
      [`all${own}`]: { totalCount: 1, nodes: [{ note: 'north' }] },
      [`all${kid}`]: { totalCount: 1, nodes: [{ no: 0 }] },
    });
  });

  test('that is none refuses the start, each with its reason', async () => {
    const note = [`note: String ${read}`];
    const other = Object.entries(
      schemaOf(
        ...refused.map((_, at) => type(`NoKey${String(at)}`, `no_key_${String(at)}`, 'note', nowhere, note)),
        type('Loose', 'loose_key', 'note', nowhere, note),
        type('Open', 'soft_view', 'no', nowhere, [`no: Int ${read}`], ', key: []'),
        type(
          'Wrong',
          'soft',
          'no',
          nowhere,
          [`no: Int ${read}`],
          ', key: ["area"], where: [{ column: "nothing", isNull: true }]',
        ),
      ),
    );
    for (const [path, text] of other) company.write(path, text);
    const told = await company.refusal();
    for (const [path, text] of Object.entries(schema)) company.write(path, text);
    for (const at of refused.keys())
      expect(told).toMatch(
        new RegExp(
          `zoo\\.graphql:\\d+: NoKey${String(at)} cannot be over no_key_${String(at)}: its key has the column k \\(`,
        ),
      );
    expect(told).toContain('Loose cannot be over loose_key: ');
    expect(told).toContain('Open cannot be over soft_view: its key is left open');
    expect(told).toContain('Wrong cannot be over soft: no unique index holds its key area to one row.');
    expect(told).toContain('Wrong has a condition on the column soft.nothing, which does not exist');
  });
});

describe('rows that a type says are not there', () => {
  test('are nowhere: not in lists, look-ups, counts, children, references and boundaries over them', async () => {
    const data = await ask(
      '{ allSoft { totalCount nodes { id no parent { no } kids { totalCount nodes { no } } } } }',
    );
    expect(data).toMatchObject({
      allSoft: {
        totalCount: 4,
        nodes: [
          { no: 1, parent: null, kids: { totalCount: 1, nodes: [{ no: 4 }] } },
          { no: 4, parent: { no: 1 } },
          { no: 5, parent: null },
          { no: 7, parent: null },
        ],
      },
    });
    expect(await ask('{ allSoft(filter: { no: 3 }) { totalCount nodes { no } } }')).toEqual({
      allSoft: { totalCount: 0, nodes: [] },
    });
    const [first] = nodesIn(data, 'allSoft');
    const values = JSON.parse(Buffer.from(String(first?.id), 'base64url').toString()) as string[];
    expect(values).toEqual(['1']);
    for (const no of ['2', '3', '6']) {
      const id = Buffer.from(JSON.stringify([no])).toString('base64url');
      expect(await ask(`{ oneSoft(id: "${id}") { no } }`)).toEqual({ oneSoft: null });
    }
    const north = await server.person({
      scopes: ['zoo:read'],
      boundary: { ...everywhere, region: ['north', '\u{1f600}'] },
    });
    // Of the view's rows, 5 and 7 have parents that are not there.
    expect(await ask('{ allSoftSeen { totalCount nodes { no parent { no } } } }', north.token)).toEqual({
      allSoftSeen: { totalCount: 4, nodes: [2, 3, 4, 6].map((no) => ({ no, parent: { no: 1 } })) },
    });
  });

  test('are not written, and nothing is written to be one of them', async () => {
    const { token: theirs } = await server.person({ scopes: ['zoo:read', 'zoo:write'] });
    const before = await sql('SELECT * FROM soft ORDER BY no');
    const idOf = (no: number): string => Buffer.from(JSON.stringify([String(no)])).toString('base64url');
    const data = await ask('{ allSoft { nodes { no version } } }', theirs);
    const version = nodesIn(data, 'allSoft').find(({ no }) => no === 4)?.version;
    const change = (no: number, tenant: string): string =>
      `updateSoft(id: "${idOf(no)}", changes: { tenant: "${tenant}" }, expectedVersion: ${JSON.stringify(version)}, idempotencyKey: "k${String(no)}${tenant}") { soft { no } }`;
    for (const mutation of [
      change(4, 'other'),
      change(4, 'ACME'),
      change(6, 'acme'),
      change(3, 'acme'),
      `deleteSoft(id: "${idOf(6)}", expectedVersion: ${JSON.stringify(version)}, idempotencyKey: "d6") { deletedId }`,
      'createSoft(values: { no: 50, area: "north", tenant: "other" }, idempotencyKey: "c50") { soft { no } }',
    ]) {
      const answer = await server.query(theirs, `mutation { ${mutation} }`);
      expect([mutation, answer.errors.map(({ extensions }) => extensions.code)]).toEqual([
        mutation,
        ['NOT_FOUND'],
      ]);
      expect(await sql('SELECT * FROM soft ORDER BY no')).toEqual(before);
    }
    const made = await server.query(
      theirs,
      'mutation { createSoft(values: { no: 51, area: "north", tenant: "acme" }, idempotencyKey: "c51") { soft { no } } }',
    );
    expect([made.errors, made.data]).toEqual([[], { createSoft: { soft: { no: 51 } } }]);
  });
});

describe('a boundary', () => {
  test('holds exactly its values, of every type that it can be over', async () => {
    const rows = nodesIn(await ask('{ allBounded { nodes { no u e l b } } }'), 'allBounded') as Readonly<
      Record<string, string | null>
    >[];
    const values: Readonly<Record<string, readonly [string, readonly string[]]>> = {
      customer: ['u', ['FFFFFFFF-0000-1000-8000-00000000000A', 'x', '']],
      region: ['e', ['high', 'LOW', '2', '01', '\u{1f600}']],
      collection: ['l', ['Ä', 'a ', '?', '\u{1f600}', '']],
      classification: [
        'b',
        ['00', '0.0', 'x', '9007199254740992', '-1', '9223372036854775808', '18446744073709551616'],
      ],
    };
    for (const [dimension, [field, others]] of Object.entries(values)) {
      const known = rows.flatMap((row) => row[field] ?? []);
      for (const set of [
        ...others.map((one) => [one]),
        ...known.map((one) => [one]),
        [...known, ...others],
      ]) {
        const { token: theirs } = await server.person({
          scopes: ['zoo:read'],
          boundary: { ...everywhere, [dimension]: set },
        });
        const found = nodesIn(await ask('{ allBounded { nodes { no } } }', theirs), 'allBounded');
        const expected = rows.filter((row) => set.includes(row[field] ?? 'none'));
        expect([dimension, set, found.map(({ no }) => no)]).toEqual([
          dimension,
          set,
          expected.map(({ no }) => no),
        ]);
      }
    }
  });
});

describe('a boundary over a table of pairs', () => {
  /** What each row's pairs lead to, as plain SQL says it. */
  const inside = async (area: string): Promise<number[]> => {
    const rows = await sql(
      `SELECT DISTINCT f.no FROM flock f JOIN pair p ON p.flock = f.no JOIN keeper k ON k.no = p.keeper
       WHERE HEX(k.area) = HEX('${area}') AND p.gone IS NULL ORDER BY f.no`,
    );
    return rows.map(({ no }) => Number(no));
  };

  test('holds a row where one of its pairs leads inside, on every way, and for fields of narrower scopes', async () => {
    for (const area of ['north', 'North', 'south', 'nowhere']) {
      const { token: theirs } = await server.person({
        scopes: ['zoo:read'],
        boundary: { ...everywhere, region: [area] },
      });
      const expected = await inside(area);
      const data = await ask(
        '{ allFlock { totalCount nodes { id no } } allBird { totalCount nodes { no flock { no } } } }',
        theirs,
      );
      expect([area, data]).toMatchObject([
        area,
        {
          allFlock: { totalCount: expected.length, nodes: expected.map((no) => ({ no })) },
          allBird: { totalCount: expected.length, nodes: expected.map((no) => ({ no, flock: { no } })) },
        },
      ]);
      for (const { id, no } of nodesIn(data, 'allFlock'))
        expect(await ask(`{ oneFlock(id: ${JSON.stringify(id)}) { no } }`, theirs)).toEqual({
          oneFlock: { no },
        });
    }
  });

  test('is the same for rules that look at rows', async () => {
    const role = { boundary: { ...everywhere, region: ['north', 'south'] }, scopes: ['zoo:read'] };
    const narrow = { boundary: { ...everywhere, region: ['north'] }, scopes: ['zoo:secret'] };
    const { id, token: theirs } = await server.person(role);
    await server.giveRole(id, narrow);
    const north = await inside('north');
    const both = [...new Set([...north, ...(await inside('south'))])].sort((a, b) => a - b);
    const { data } = await server.query(theirs, '{ allFlock { nodes { no secret } } }');
    expect(data).toEqual({
      allFlock: { nodes: both.map((no) => ({ no, secret: north.includes(no) ? `s${String(no)}` : null })) },
    });
  });
});

describe('a value that no field can show', () => {
  test('is an error of its field alone', async () => {
    const answer = await server.query(token, '{ allMisfit { nodes { no n exact photo } } }');
    const text = Buffer.from('text').toString('base64');
    const [first, ...others] = [
      { no: 1, n: 5, exact: '5', photo: null },
      ...(isMysql
        ? [{ no: 2, n: null, exact: '4294967295', photo: text }]
        : [
            { no: 2, n: null, exact: '9007199254740993', photo: text },
            { no: 3, n: null, exact: 'abc', photo: null },
          ]),
    ];
    expect(answer.data).toEqual({ allMisfit: { nodes: [first, ...others] } });
    expect(answer.errors.map(({ path, extensions }) => [path?.slice(2), extensions.code])).toEqual([
      [[0, 'photo'], 'LIMIT_EXCEEDED'],
      [[1, 'n'], 'LIMIT_EXCEEDED'],
      ...(isMysql ? [] : [[[2, 'n'], 'UNAVAILABLE']]),
    ]);
    const sorted = await paged('allMisfit', 'orderBy: { exact: ASC }', 'no', 1);
    expect(sorted.map(({ no }) => no)).toEqual(isMysql ? [1, 2] : [1, 2, 3]);
  });
});
