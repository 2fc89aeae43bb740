// databases: sqlite, mariadb
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Company } from '../support/company.js';
import { testDatabase } from '../support/database.js';
import { recordOf } from '../support/records.js';
import { everywhere, type Answer, type PersonFixture, type TestServer } from '../support/server.js';

const isMysql = testDatabase() === 'mariadb';
const unbounded = 'unbounded: ["customer", "region", "collection", "classification", "person"]';
const read = '@scope(name: "items:read")';
const schema = `extend schema
  @defineDimension(name: "area", description: "Where.")
  @defineScope(name: "items:read", description: "Read.")
  @defineScope(name: "items:write", description: "Write.")
"An item."
type Item @table(name: "item", key: ["code"], one: "item", many: "items", order: { by: "code" })
  @query(one: "item", list: "items")
  @rows(scope: "items:read", bounds: [{ dimension: "area", path: "area" }], ${unbounded}) {
  "Id" id: ID! ${read}
  "Number" no: Int! ${read}
  "Code" code: String! ${read}
  "Area" area: String! ${read}
  "Label" label: String! ${read}
  "Note" note: String ${read}
  "Fee" fee: Int ${read}
  "Large" large: BigInt ${read}
  "Price" price: Decimal ${read}
  "Ratio" ratio: Float ${read}
  "Done" done: Boolean ${read}
  "Due" due: ${isMysql ? 'DateTime' : 'String'} ${read}
  "Photo" photo: String ${read}
  "Twice" twice: Int ${read}
}
"Not in every engine." type Plain @table(name: "plain", one: "plain", many: "plains", order: { by: "area" })
  @query(one: "plain", list: "plains")
  @rows(scope: "items:read", bounds: [{ dimension: "area", path: "area" }], ${unbounded}) {
  "Id" id: ID! ${read}
  "Area" area: String! ${read}
}
extend type Query { "Peek." peek("How." how: String! @plain): String ${read} }
extend type Mutation {
  "Act." act("How." how: String! @plain "Values as JSON." values: String @plain "Key." idempotencyKey: String! @plain): ActPayload
    @scope(name: "items:write")
}
"What came of it." type ActPayload { "The item." item: Item ${read} "A text." text: String ${read} }
`;
const code = `
let kept;
let release;
let later;
const attempt = async (work) => {
  try {
    return JSON.stringify(await work()) ?? 'nothing';
  } catch (error) {
    return error.message;
  }
};
export default { [Symbol.for('behalf.domain')]: true, resolvers: {
  Query: {
    peek: async (_root, { how }, op) => {
      const rows = op.rows.of('Item');
      if (how === 'keep') {
        const page = await rows.list({});
        kept = { op, rows, page, id: page.nodes[0].id };
        return 'kept';
      }
      if (how === 'fail') {
        kept = { op, rows, page: await rows.list({}), id: 'x' };
        throw new Error('failed');
      }
      if (how === 'use') {
        const uses = {
          get: () => kept.rows.get(kept.id),
          find: () => kept.rows.find({ kind: 'all', of: [] }),
          list: () => kept.rows.list({}),
          idOf: () => kept.rows.idOf('a'),
          total: () => kept.page?.totalCount(),
          of: () => kept.op.rows.of('Item'),
          allows: () => kept.op.authority.allows('items:read'),
          now: () => kept.op.clock.now(),
          next: () => kept.op.ids.next(),
          lock: () => kept.rows.lock(kept.id),
          update: () => kept.rows.update(kept.id, { $note: 'late' }),
          insert: () => kept.rows.insert({ $code: 'late', $area: 'north', $label: 'late' }),
          once: () => kept.op.once('k', {}, {}, async () => ({})),
        };
        const said = {};
        for (const [name, use] of Object.entries(uses)) said[name] = await attempt(use);
        return JSON.stringify(said);
      }
      if (how === 'unwaited') {
        // It rejects and does not throw, so that whoever only catches rejections goes on.
        return kept.rows.update(kept.id, { $note: 'late' }).catch((error) => error.message);
      }
      if (how === 'later') {
        later = new Promise((resolve) => (release = resolve)).then(() => attempt(() => rows.list({})));
        return 'later';
      }
      if (how === 'release') {
        release();
        return later;
      }
      const said = [];
      for (const where of JSON.parse(how)) said.push(await attempt(async () => (await rows.list({ where })).nodes.length));
      return JSON.stringify(said);
    },
  },
  Mutation: {
    act: async (_root, { how, values, idempotencyKey: key }, op) => {
      const rows = op.rows.of('Item');
      const id = rows.idOf('a');
      const add = (name) => rows.insert({ $code: name, $area: 'north', $label: name });
      if (how === 'before') await add('before');
      if (how === 'lock before') await rows.lock(id);
      if (how === 'another key') return op.once('always', {}, {}, async () => ({ text: 'x' }));
      if (how === 'failed and caught') return op.once(key, {}, {}, async () => { await add('caught'); throw new Error('x'); }).catch(() => ({ text: 'x' }));
      if (how === 'nobody waits') { op.once(key, {}, {}, async () => { await add('unwaited'); return {}; }); return { text: 'x' }; }
      const answer = await op.once(key, { how, values }, { item: 'Item' }, async () => {
        if (how === 'left behind') { add('behind'); return { text: 'x' }; }
        if (how === 'update') return { item: await rows.update(id, { $note: undefined, ...JSON.parse(values) }) };
        if (how === 'again') return { item: await rows.update(id, { $photo: (await rows.get(id)).$photo }) };
        if (how === 'special') return { text: (await Promise.all([5n, 2 ** 53, NaN, Infinity, new Date(0), { a: 1 }, () => 1].map((value) =>
          attempt(() => rows.update(id, { $fee: value })))) ).join(' ') };
        if (how === 'key null') return { item: await rows.insert({ $code: null, $area: 'north', $label: 'l' }) };
        if (how === 'fixed') return { text: await attempt(() => rows.update(id, JSON.parse(values))) };
        if (how === 'plain') return { text: await attempt(() => op.rows.of('Plain').insert({ $no: 1, $area: 'north' })) };
        if (how === 'hidden') return { constructor: await rows.get(id), text: 'x' };
        if (how === 'function') return { text: 'x', toJSON: () => ({}) };
        if (how === 'keep') { kept = { op, rows, id }; }
        return { text: 'x' };
      });
      if (how === 'after') await add('after');
      if (how === 'twice') return op.once(key, { how, values }, {}, async () => ({ text: 'y' }));
      return answer;
    },
  },
} };
`;
let company: Company;
let server: TestServer;
let all: PersonFixture;
let north: PersonFixture;

beforeAll(async () => {
  company = await Company.of(
    [
      `CREATE TABLE item (no ${isMysql ? 'INT AUTO_INCREMENT PRIMARY KEY' : 'INTEGER NOT NULL PRIMARY KEY'}, code VARCHAR(20) NOT NULL UNIQUE,
         area VARCHAR(20) NOT NULL, label VARCHAR(20) NOT NULL UNIQUE, note VARCHAR(20), fee INT, large BIGINT, price DECIMAL(8,2),
         ratio DOUBLE, done ${isMysql ? 'TINYINT(1)' : 'BOOLEAN'}, due DATETIME, photo VARBINARY(8), twice INT AS (fee * 2) STORED)`,
      `CREATE TABLE follower (no INTEGER PRIMARY KEY, item VARCHAR(20) NOT NULL,
         FOREIGN KEY (item) REFERENCES item (label) ON UPDATE CASCADE)`,
      `CREATE TABLE plain (no INTEGER PRIMARY KEY, area VARCHAR(20) NOT NULL) ${isMysql ? 'ENGINE=MyISAM' : ''}`,
      "INSERT INTO item (no, code, area, label, note, photo) VALUES (1, 'a', 'north', 'la', 'n', X'DEADBEEF'), (2, 'b', 'south', 'lb', 's', NULL)",
      "INSERT INTO follower VALUES (1, 'la')",
    ],
    { 'schema/items.graphql': schema, 'code/items.mjs': code },
  );
  server = await company.start();
  const scopes = ['items:read', 'items:write'];
  all = await server.person({ scopes, boundary: { ...everywhere, area: 'all' } });
  north = await server.person({ scopes, boundary: { ...everywhere, area: ['north'] } });
});
afterAll(async () => {
  await server.stop();
  await company.drop();
});

const stored = async (): Promise<unknown[]> => [
  ...(await server.database.read.query('SELECT * FROM item ORDER BY no')),
  ...(await server.database.read.query('SELECT * FROM follower')),
];
const peek = (who: PersonFixture, how: string): Promise<Answer> =>
  server.query(who.token, 'query ($how: String!) { peek(how: $how) }', { how });
const act = (how: string, values: object = {}, key: string = randomUUID()): Promise<Answer> =>
  server.query(
    north.token,
    `mutation ($how: String!, $values: String, $key: String!) {
      act(how: $how, values: $values, idempotencyKey: $key) { text item { note fee large price ratio done due photo } } }`,
    { how, values: JSON.stringify(values), key },
  );
const textOf = ({ data }: Answer): unknown => (data as { act: { text: unknown } } | null)?.act.text;
const codeOf = ({ errors }: Answer): unknown => errors[0]?.extensions.code;

describe('what code keeps of an operation', () => {
  const bring: [string, () => Promise<unknown>][] = [
    ['a query', () => peek(all, 'keep')],
    ['a query that failed', () => peek(all, 'fail')],
    ['a mutation', () => act('keep')],
  ];
  test.each(bring)('gives nothing to a later caller when it is of %s', async (_what, keep) => {
    const before = await stored();
    await keep();
    const used = await peek(north, 'use');
    const said = JSON.parse((used.data as { peek: string }).peek) as Record<string, string>;
    const ended = expect.stringContaining('has ended') as unknown;
    for (const [name, what] of Object.entries(said))
      expect([name, what]).toEqual([
        name,
        name === 'total' ? expect.stringMatching(/is over|nothing/) : ended,
      ]);
    expect(Object.keys(said)).toHaveLength(13);
    expect((await recordOf(server.database, used)).resources).toEqual([]);
    expect(await stored()).toEqual(before);
  });

  test('does not end the server when it is called beside all callers', async () => {
    await peek(all, 'keep');
    const used = await peek(north, 'unwaited');
    expect(used.data).toEqual({ peek: expect.stringContaining('has ended') });
  });

  test('reads nothing for itself after its record', async () => {
    const first = await peek(all, 'later');
    expect((await recordOf(server.database, first)).resources).toEqual([]);
    const second = await peek(north, 'release');
    expect(second.data).toEqual({ peek: expect.stringContaining('has ended') });
    expect((await recordOf(server.database, second)).resources).toEqual([]);
  });
});

describe('what code looks for', () => {
  const compare = (column: string, value: unknown, op = '='): object => ({
    kind: 'compare',
    column,
    op,
    value,
  });
  test('is compared as its column has it, alike on both databases', async () => {
    await company.run("UPDATE item SET fee = 0, price = 0, ratio = 0, large = 0 WHERE code = 'a'");
    const found = async (...conditions: object[]): Promise<unknown> =>
      JSON.parse(((await peek(north, JSON.stringify(conditions))).data as { peek: string }).peek);
    const no = (column: string): unknown => expect.stringContaining(`\`${column}\` is no `);
    expect(
      await found(
        compare('$fee', 'abc'),
        compare('$fee', 'abc', '<='),
        compare('$fee', false),
        compare('$large', ''),
        compare('$price', 'abc'),
        compare('$price', null),
        compare('$ratio', 'abc', '<='),
        compare('$note', 0),
        compare('id', 0),
        { kind: 'in', column: '$fee', values: [5, 'abc'] },
        { kind: 'prefix', column: '$note', value: 5 },
      ),
    ).toEqual(['fee', 'fee', 'fee', 'large', 'price', 'price', 'ratio', 'note', 'id', 'fee', 'note'].map(no));
    expect(
      await found({ kind: 'prefix', column: '$fee', value: '' }, { kind: 'prefix', column: 'id', value: '' }),
    ).toEqual([
      expect.stringContaining('Item.$fee is no column of text'),
      expect.stringContaining('Item.id is no column of text'),
    ]);
    expect(
      await found(
        compare('$fee', 0),
        compare('$fee', '0'),
        compare('$fee', 0.5, '<'),
        compare('$large', 0),
        compare('$price', '0.00'),
        compare('$ratio', 0.5, '<='),
        compare('$note', 'n'),
        compare('$photo', 'DEADBEEF'),
        { kind: 'in', column: '$fee', values: [5, 0] },
        { kind: 'prefix', column: '$note', value: '' },
      ),
    ).toEqual(Array(10).fill('1'));
  });
});

describe('what code writes', () => {
  const refused: [object, string][] = [
    [{ $fee: 1.5 }, 'fee'],
    [{ $fee: 'abc' }, 'fee'],
    [{ $fee: true }, 'fee'],
    [{ $fee: '' }, 'fee'],
    [{ $fee: [5] }, 'fee'],
    [{ $large: '9223372036854775808' }, 'large'],
    [{ $price: '1.005' }, 'price'],
    [{ $price: 0.1 + 0.2 }, 'price'],
    [{ $price: 'abc' }, 'price'],
    [{ $price: '1e3' }, 'price'],
    [{ $ratio: '1' }, 'ratio'],
    [{ $done: 1 }, 'done'],
    [{ $done: 'false' }, 'done'],
    [{ $note: 5 }, 'note'],
    [{ $note: 'x'.repeat(21) }, 'note'],
    [{ $area: null }, 'area'],
    [{ $due: isMysql ? 'yesterday' : 5 }, 'due'],
    [{ $due: isMysql ? '2026-02-30T00:00:00Z' : 'yesterday' }, 'due'],
    [{ $photo: 'DEADBEE' }, 'photo'],
    [{ $photo: '3q2+7w==' }, 'photo'],
  ];
  test.each(refused)('is refused when its column cannot hold it: %j', async (values, column) => {
    const before = await stored();
    const answer = await act('update', values);
    expect([codeOf(answer), answer.errors[0]?.message]).toEqual([
      'BAD_USER_INPUT',
      expect.stringContaining(`\`${column}\``),
    ]);
    expect(await stored()).toEqual(before);
  });

  test('is stored exactly, without what is undefined', async () => {
    const due = isMysql ? '2026-03-01T09:30:00Z' : '2026-03-01';
    const values = {
      $fee: 7,
      $large: '9007199254740993',
      $price: '1.50',
      $ratio: 0.5,
      $done: true,
      $due: due,
    };
    const written = await act('update', values);
    expect([written.errors, written.data]).toEqual([
      [],
      {
        act: {
          text: null,
          item: {
            note: 'n',
            fee: 7,
            large: '9007199254740993',
            price: expect.stringMatching(/^1\.50?$/),
            ratio: 0.5,
            done: true,
            due: expect.stringContaining('2026-03-01'),
            photo: '3q2+7w==',
          },
        },
      },
    ]);
    const before = await stored();
    // Bytes are given as rows hold them, and nothing given is no change.
    expect((await act('again')).errors).toEqual([]);
    expect((await act('update')).errors).toEqual([]);
    const special = textOf(await act('special')) as string;
    expect(special).toContain('"$fee":5');
    expect(special.match(/`fee` is no whole number/g)).toHaveLength(6);
    expect(codeOf(await act('key null'))).toBe('BAD_USER_INPUT');
    await company.run('UPDATE item SET fee = 7 WHERE no = 1');
    expect(await stored()).toEqual(before);
  });

  test.each([
    [{ $code: 'c' }, /\$code of Item cannot be changed: it is in the key/],
    [{ $no: 9 }, /\$no of Item cannot be changed: it is in the key/],
    [
      { $label: 'c' },
      /\$label of Item cannot be changed: the database would change rows of follower with it/,
    ],
    [{ $twice: 1 }, /The database computes \$twice of Item/],
    [{ id: 'x' }, /The id of Item is made of its key/],
  ])('keeps what names rows and what others hold on to: %j', async (values, message) => {
    const before = await stored();
    expect(textOf(await act('fixed', values))).toMatch(message);
    expect(await stored()).toEqual(before);
  });
});

describe('a table without transactions', () => {
  test('is not written by code, because nothing would undo it', async () => {
    // Every table of SQLite has transactions.
    const [told, count] = isMysql
      ? ['plain cannot be written: MyISAM, which keeps it, has no transactions', 0]
      : ['"$no":1', 1];
    expect(textOf(await act('plain'))).toContain(told);
    expect(await server.database.read.query('SELECT * FROM plain')).toHaveLength(count);
  });
});

describe('a mutation by code', () => {
  test.each([
    'before',
    'lock before',
    'after',
    'twice',
    'another key',
    'failed and caught',
    'nobody waits',
    'left behind',
    'hidden',
    'function',
  ])('writes for its key once or not at all: %s', async (how) => {
    const before = await stored();
    const key = randomUUID();
    expect(codeOf(await act(how, {}, key))).toBe('INTERNAL');
    expect(codeOf(await act(how, {}, key))).toBe('INTERNAL');
    expect(await stored()).toEqual(before);
    // The key is still free.
    expect((await act('nothing', {}, key)).errors).toEqual([]);
  });
});
