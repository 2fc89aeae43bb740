// databases: sqlite, mariadb
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eq } from '../../src/store/sql/condition.js';
import { idempotencyKeys } from '../../src/store/tables/identity.js';
import { Company } from '../support/company.js';
import { testDatabase } from '../support/database.js';
import { recordOf } from '../support/records.js';
import { everywhere, type Answer, type PersonFixture, type TestServer } from '../support/server.js';

const isMysql = testDatabase() === 'mariadb';
const auto = isMysql ? 'INT AUTO_INCREMENT PRIMARY KEY' : 'INTEGER PRIMARY KEY';
const folded = isMysql ? 'COLLATE utf8mb4_general_ci' : 'COLLATE NOCASE';

const tables = [
  `CREATE TABLE shop (no ${auto}, area VARCHAR(20) ${folded} NOT NULL)`,
  `CREATE TABLE film (
     no ${auto},
     shop_no INT NOT NULL REFERENCES shop (no),
     title VARCHAR(20) ${folded} NOT NULL UNIQUE,
     length SMALLINT,
     price DECIMAL(8,2) NOT NULL DEFAULT 1.5,
     is_new ${isMysql ? 'TINYINT(1)' : 'BOOLEAN'} NOT NULL DEFAULT 1,
     bought DATETIME,
     secret VARCHAR(20),
     hidden VARCHAR(20) DEFAULT 'classified',
     CHECK (length > 0)${isMysql ? ', FOREIGN KEY (shop_no) REFERENCES shop (no)' : ''})`,
  `CREATE TABLE booking (code VARCHAR(20) ${folded} NOT NULL, day VARCHAR(10) NOT NULL, film_no INT${isMysql ? ', FOREIGN KEY (film_no) REFERENCES film (no)' : ' REFERENCES film (no)'},
     note VARCHAR(20), version INT NOT NULL DEFAULT 1, PRIMARY KEY (code, day))`,
  // What the database adds to a row, and what it refuses.
  isMysql
    ? "CREATE TRIGGER titled BEFORE INSERT ON film FOR EACH ROW SET NEW.secret = CONCAT('s-', NEW.title)"
    : "CREATE TRIGGER titled AFTER INSERT ON film BEGIN UPDATE film SET secret = 's-' || NEW.title WHERE no = NEW.no; END",
  isMysql
    ? "CREATE TRIGGER barred BEFORE UPDATE ON film FOR EACH ROW IF NEW.title = 'barred' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'internal words'; END IF"
    : "CREATE TRIGGER barred BEFORE UPDATE ON film WHEN NEW.title = 'barred' BEGIN SELECT RAISE(ABORT, 'internal words'); END",
  "INSERT INTO shop VALUES (1, 'north'), (2, 'North'), (3, 'south')",
];

const rest = 'unbounded: ["customer", "region", "collection", "classification", "person"]';
const schema = `
extend schema
  @defineDimension(name: "area", description: "Where a shop is.")
  @defineScope(name: "films:read", description: "Read films.")
  @defineScope(name: "films:read_secret", description: "Read what films hide.")
  @defineScope(name: "films:create", description: "Add films.")
  @defineScope(name: "films:update", description: "Change films.")
  @defineScope(name: "films:price", description: "Change what films cost.")
  @defineScope(name: "films:move", description: "Say to which shop films belong.")
  @defineScope(name: "films:delete", description: "Delete films.")
  @defineScope(name: "bookings:read", description: "Read bookings.")
  @defineScope(name: "bookings:write", description: "Write bookings.")

"A shop."
type Shop
  @table(name: "shop", one: "shop", many: "shops", order: { by: "area" })
  @query(one: "shop", list: "shops")
  @rows(scope: "films:read", bounds: [{ dimension: "area", path: "area" }], ${rest}) {
  id: ID! @scope(name: "films:read")
  area: String! @scope(name: "films:read")
}

"A film."
type Film
  @table(name: "film", one: "film", many: "films", order: { by: "title" })
  @query(one: "film", list: "films")
  @create(mutation: "createFilm", scope: "films:create")
  @update(mutation: "updateFilm", scope: "films:update")
  @delete(mutation: "deleteFilm", scope: "films:delete")
  @rows(scope: "films:read", bounds: [{ dimension: "area", path: "shop.area" }], ${rest}) {
  id: ID! @scope(name: "films:read")
  title: String! @scope(name: "films:read") @writable @filter(by: EQUALS)
  length: Int @scope(name: "films:read") @writable
  price: Decimal! @scope(name: "films:read") @writable(required: false, scope: "films:price")
  isNew: Boolean! @scope(name: "films:read") @writable(on: UPDATE)
  bought: ${isMysql ? 'DateTime' : 'String'} @scope(name: "films:read") @writable
  shop: Shop @scope(name: "films:read") @reference(column: "shop_no") @writable(required: true, scope: "films:move")
  secret: String @scope(name: "films:read_secret") @personal
  version: String! @scope(name: "films:read") @version
}

"A booking."
type Booking
  @table(name: "booking", one: "booking", many: "bookings", order: { by: "code" })
  @query(one: "booking", list: "bookings")
  @create(mutation: "addBooking", scope: "bookings:write")
  @update(mutation: "changeBooking", scope: "bookings:write")
  @delete(mutation: "removeBooking", scope: "bookings:write")
  @rows(scope: "bookings:read", bounds: [{ dimension: "area", path: "film.shop.area" }], ${rest}) {
  id: ID! @scope(name: "bookings:read")
  code: String! @scope(name: "bookings:read") @writable(on: CREATE)
  day: String! @scope(name: "bookings:read") @writable(on: CREATE)
  note: String @scope(name: "bookings:read") @writable @personal
  film: Film @scope(name: "films:read") @reference(column: "film_no") @writable
  count: String! @scope(name: "bookings:read") @version(column: "version")
}
`;

const everyScope = [
  ...[
    'films:read',
    'films:read_secret',
    'films:create',
    'films:update',
    'films:price',
    'films:delete',
    'films:move',
  ],
  ...['bookings:read', 'bookings:write'],
];

let company: Company;
let server: TestServer;
let all: PersonFixture;
let north: PersonFixture;

beforeAll(async () => {
  company = await Company.of(tables, { 'schema/films.graphql': schema });
  server = await company.start();
  all = await server.person({ scopes: everyScope, boundary: anywhere });
  north = await server.person({ scopes: everyScope, boundary: { ...everywhere, area: ['north'] } });
});
afterAll(async () => {
  await server.stop();
  await company.drop();
});

const anywhere = { ...everywhere, area: 'all' as const };
const id = (...key: (string | number)[]): string =>
  Buffer.from(JSON.stringify(key.map(String))).toString('base64url');
const film = '{ id title length price isNew bought secret version shop { area } }';
const create = (who: PersonFixture, values: object, key = randomUUID()): Promise<Answer> =>
  server.query(
    who.token,
    `mutation ($values: FilmValues!, $key: String!) { createFilm(values: $values, idempotencyKey: $key) { film ${film} } }`,
    { values, key },
  );
const update = (who: PersonFixture, one: Film, changes: object, fields = film): Promise<Answer> =>
  server.query(
    who.token,
    `mutation ($id: ID!, $changes: FilmChanges!, $version: String!, $key: String!) {
       updateFilm(id: $id, changes: $changes, expectedVersion: $version, idempotencyKey: $key) { film ${fields} } }`,
    { id: one.id, changes, version: one.version, key: randomUUID() },
  );
const remove = (who: PersonFixture, one: Film): Promise<Answer> =>
  server.query(
    who.token,
    `mutation ($id: ID!, $version: String!, $key: String!) {
       deleteFilm(id: $id, expectedVersion: $version, idempotencyKey: $key) { deletedId } }`,
    { id: one.id, version: one.version, key: randomUUID() },
  );

interface Film {
  readonly id: string;
  readonly version: string;
}
function filmIn(answer: Answer): Film {
  expect(answer.errors).toEqual([]);
  const [payload] = Object.values(answer.data as Record<string, { film: Film }>);
  if (payload === undefined) throw new Error('The answer has no film.');
  return payload.film;
}
const content = async (): Promise<string> =>
  JSON.stringify([
    await server.database.read.query('SELECT * FROM film ORDER BY no'),
    await server.database.read.query('SELECT * FROM booking ORDER BY code, day'),
  ]);

/** The code of a refusal that changed nothing. */
async function refused(ask: () => Promise<Answer>): Promise<string> {
  const before = await content();
  const answer = await ask();
  expect(await content()).toBe(before);
  expect(JSON.stringify(answer.errors)).not.toMatch(/internal words|constraint|errno|SQL/i);
  const [error] = answer.errors;
  return `${String(error?.extensions.code)} ${String(error?.message)}`;
}

describe('writing tables of a company', () => {
  test('a row is added, as the database has it afterwards, and is in the record', async () => {
    const answer = await create(all, { title: 'Alpha', shopId: id(3), length: 90 });
    const made = filmIn(answer);
    expect(made).toMatchObject({
      title: 'Alpha',
      length: 90,
      price: isMysql ? '1.50' : '1.5',
      isNew: true,
      bought: null,
      secret: 's-Alpha',
      shop: { area: 'south' },
    });
    const record = await recordOf(server.database, answer);
    expect(record).toMatchObject({ outcome: 'succeeded' });
    expect(JSON.stringify(record.resources)).toContain(made.id);
    expect(JSON.stringify(record.resources)).toContain('create');
    // What no type names is not read, so it is not in what is kept to answer again.
    const kept = await server.database.read.select(idempotencyKeys, eq('operationId', record.operationId));
    expect(JSON.stringify(kept)).toContain('s-Alpha');
    expect(JSON.stringify(kept)).not.toContain('classified');
    const again = await server.query(all.token, `{ film(id: "${made.id}") ${film} }`);
    expect(again.data).toEqual({ film: made });
  });

  test('a row is changed and deleted, with the version that was read', async () => {
    const made = filmIn(await create(all, { title: 'Beta', shopId: id(1), price: '2.00' }));
    const changed = filmIn(
      await update(all, made, {
        title: 'Beta 2',
        length: null,
        isNew: false,
        bought: isMysql ? '2026-03-01T09:30:00.000Z' : '2026-03-01 09:30:00',
      }),
    );
    expect(changed).toMatchObject({
      id: made.id,
      title: 'Beta 2',
      isNew: false,
      price: isMysql ? '2.00' : '2',
      bought: isMysql ? '2026-03-01T09:30:00Z' : '2026-03-01 09:30:00',
    });
    expect(changed.version).not.toBe(made.version);
    expect(await refused(() => update(all, made, { length: 3 }))).toMatch(
      /^CONFLICT Film has changed meanwhile/,
    );
    expect(await refused(() => remove(all, made))).toMatch(/^CONFLICT/);
    // Another program changes it.
    await company.run(`UPDATE film SET length = 4 WHERE title = 'Beta 2'`);
    expect(await refused(() => update(all, changed, { length: 3 }))).toMatch(/^CONFLICT/);
    const now = await server.query(all.token, `{ film(id: "${made.id}") { id version } }`);
    const deleted = await remove(all, (now.data as { film: Film }).film);
    expect(deleted.data).toEqual({ deleteFilm: { deletedId: made.id } });
    expect(JSON.stringify((await recordOf(server.database, deleted)).resources)).toContain('delete');
    expect((await server.query(all.token, `{ film(id: "${made.id}") { id } }`)).data).toEqual({ film: null });
  });

  test('nothing is written outside of the boundary, before or after', async () => {
    const [inside, outside] = [
      filmIn(await create(all, { title: 'inside', shopId: id(1) })),
      filmIn(await create(all, { title: 'outside', shopId: id(2) })),
    ];
    // `North` is not `north`, whatever the collation says.
    expect(await refused(() => create(north, { title: 'x', shopId: id(2) }))).toMatch(/^NOT_FOUND/);
    expect(await refused(() => update(north, outside, { length: 3 }))).toMatch(/^NOT_FOUND/);
    expect(await refused(() => remove(north, outside))).toMatch(/^NOT_FOUND/);
    expect(await refused(() => update(north, inside, { shopId: id(3) }))).toMatch(/^NOT_FOUND/);
    expect(await refused(() => update(north, inside, { shopId: id(99) }))).toMatch(/^NOT_FOUND/);
    expect(await refused(() => update(north, inside, { shopId: 'x' }))).toMatch(/^NOT_FOUND/);
    expect(filmIn(await update(north, inside, { length: 7 }))).toMatchObject({ length: 7 });
  });

  test('each column has the scope that its type says', async () => {
    const without = (scope: string): Promise<PersonFixture> =>
      server.person({ scopes: everyScope.filter((one) => one !== scope), boundary: anywhere });
    const one = filmIn(await create(all, { title: 'scoped', shopId: id(1) }));
    const noPrice = await without('films:price');
    expect(await refused(() => update(noPrice, one, { price: '3.00' }))).toMatch(
      /^FORBIDDEN|^BAD_USER_INPUT/,
    );
    expect(await refused(() => create(noPrice, { title: 'y', shopId: id(1), price: '3.00' }))).toMatch(
      /^FORBIDDEN|^BAD_USER_INPUT/,
    );
    const later = filmIn(await update(noPrice, one, { length: 3 }));
    const noDelete = await without('films:delete');
    expect(await refused(() => remove(noDelete, later))).toMatch(/^FORBIDDEN|^BAD_USER_INPUT/);
    // A price may be changed in the north alone, and the rest everywhere.
    const priced = await server.person({
      scopes: everyScope.filter((scope) => scope !== 'films:price'),
      boundary: anywhere,
    });
    await server.giveRole(priced.id, {
      scopes: ['films:price'],
      boundary: { ...everywhere, area: ['north'] },
    });
    const mover = await server.person({
      scopes: everyScope.filter((scope) => scope !== 'films:move'),
      boundary: anywhere,
    });
    await server.giveRole(mover.id, {
      scopes: ['films:move'],
      boundary: { ...everywhere, area: ['north'] },
    });
    expect(await refused(() => update(mover, later, { shopId: id(3) }))).toMatch(/^NOT_FOUND Shop/);
    const south = filmIn(await create(all, { title: 'south', shopId: id(3) }));
    expect(await refused(() => update(priced, south, { price: '3.00' }))).toMatch(/^NOT_FOUND/);
    expect(filmIn(await update(priced, south, { length: 3 }))).toMatchObject({ length: 3 });
    expect(filmIn(await update(priced, later, { price: '3.25' }))).toMatchObject({ price: '3.25' });
  });

  test('a value that the column cannot hold exactly is refused', async () => {
    const one = filmIn(await create(all, { title: 'values', shopId: id(1) }));
    const wrong: object[] = [
      { length: 40_000 },
      { length: -40_000 },
      { length: 0 },
      { price: '1.005' },
      { price: '1234567.00' },
      { price: null },
      { isNew: null },
      { title: 'x'.repeat(21) },
      { title: null },
      { title: 'a\u0000b' },
      { title: '\ud800' },
      { bought: isMysql ? '2026-03-01T09:30:00.250Z' : '2026-02-30' },
      { shopId: null },
      {},
    ];
    // SQLite's SMALLINT is any integer.
    const sized = isMysql ? wrong : wrong.slice(2);
    for (const changes of sized)
      expect([changes, await refused(() => update(all, one, changes))]).toEqual([
        changes,
        expect.stringMatching(/^BAD_USER_INPUT/),
      ]);
    expect(await refused(() => create(all, { shopId: id(1) }))).toMatch(/^BAD_USER_INPUT/);
    expect(await refused(() => create(all, { title: 'VALUES', shopId: id(1) }))).toMatch(/^CONFLICT/);
    expect(await refused(() => update(all, one, { title: 'barred' }))).toMatch(
      /^CONFLICT A rule of the database/,
    );
  });

  test('a key gives its first answer again, and the caller of a deletion its own', async () => {
    const key = randomUUID();
    const first = await create(all, { title: 'once', shopId: id(1) }, key);
    const second = await create(all, { title: 'once', shopId: id(1) }, key);
    expect(filmIn(second)).toEqual(filmIn(first));
    expect(await refused(() => create(all, { title: 'twice', shopId: id(1) }, key))).toMatch(/^CONFLICT/);
  });

  test('keys of several columns are written once, and a counted version counts', async () => {
    const [target] = [filmIn(await create(all, { title: 'booked', shopId: id(1) }))];
    const booking = '{ id code day note count film { title } }';
    const added = await server.query(
      north.token,
      `mutation { addBooking(values: { code: "B-1", day: "2026-03-01", note: "mine", filmId: "${target.id}" }, idempotencyKey: "b1") { booking ${booking} } }`,
    );
    expect(added.errors).toEqual([]);
    expect(added.data).toEqual({
      addBooking: {
        booking: {
          ...{ id: id('B-1', '2026-03-01'), code: 'B-1', day: '2026-03-01', note: 'mine', count: '1' },
          film: { title: 'booked' },
        },
      },
    });
    expect(JSON.stringify(await recordOf(server.database, added))).not.toContain('mine');
    const change = (version: string, note: string | null, key: string): Promise<Answer> =>
      server.query(
        north.token,
        `mutation ($note: String) { changeBooking(id: "${id('B-1', '2026-03-01')}", changes: { note: $note }, expectedVersion: "${version}", idempotencyKey: "${key}") { booking { note count } } }`,
        { note },
      );
    expect((await change('1', null, 'b2')).data).toEqual({
      changeBooking: { booking: { note: null, count: '2' } },
    });
    expect(await refused(() => change('1', 'late', 'b3'))).toMatch(/^CONFLICT/);
    const last = isMysql ? '2147483647' : '9223372036854775807';
    await server.database.transaction((tx) =>
      tx.affecting(`UPDATE booking SET version = ${last} WHERE code = 'B-1'`, []),
    );
    expect((await change(last, 'more', 'b4')).data).toEqual({
      changeBooking: { booking: { note: 'more', count: '0' } },
    });
    // A film with bookings stays.
    const now = await server.query(all.token, `{ film(id: "${target.id}") { id version } }`);
    expect(await refused(() => remove(all, (now.data as { film: Film }).film))).toMatch(
      /^CONFLICT The row refers/,
    );
    const gone = await server.query(
      north.token,
      `mutation { removeBooking(id: "${id('B-1', '2026-03-01')}", expectedVersion: "0", idempotencyKey: "b5") { deletedId } }`,
    );
    expect(gone.errors).toEqual([]);
  });

  test('an agent writes for its person, under its task alone', async () => {
    const made = filmIn(await create(all, { title: 'delegated', shopId: id(1) }));
    const agent = await server.agent(all, {
      scopes: ['films:read', 'films:update'],
      boundary: { ...everywhere, area: ['north'] },
    });
    const answer = await update(agent, made, { length: 12 }, '{ id length version }');
    expect(filmIn(answer)).toMatchObject({ length: 12 });
    const record = await recordOf(server.database, answer);
    expect(record.chain).toMatchObject({ person: { id: all.id } });
    expect(await refused(() => remove(agent, filmIn(answer)))).toMatch(/^FORBIDDEN|^BAD_USER_INPUT/);
  });
});

describe('what cannot be written refuses the start', () => {
  const refusal = async (
    from: string | RegExp,
    to: string,
    statements: readonly string[] = [],
  ): Promise<string> => {
    const other = await Company.of([...tables.slice(0, 3), ...statements], {
      'schema/films.graphql': schema.replace(from, to),
    });
    try {
      return await other.refusal();
    } finally {
      await other.drop();
    }
  };

  test.each([
    [
      'a type that is changed without a version',
      'version: String! @scope(name: "films:read") @version\n',
      '\n',
      /Film can be changed or deleted, and no field tells its state/,
    ],
    [
      'a key that is changed',
      '@writable(on: CREATE)\n  day',
      '@writable\n  day',
      /Booking\.code cannot be changed: it is part of the key of booking/,
    ],
    [
      'a needed value that nothing gives',
      '@writable(required: true, scope: "films:move")',
      '',
      /Film has @create, and nothing gives a new row of film its shop_no/,
    ],
    [
      'a needed value that may be left out',
      '@writable(required: true, scope: "films:move")',
      '@writable',
      /Film\.shop cannot be written: film\.shop_no has no default/,
    ],
    [
      'a field without a mutation',
      '  @create(mutation: "addBooking", scope: "bookings:write")\n',
      '',
      /Booking\.code is @writable, and Booking has no mutation that writes it/,
    ],
    ['a mutation that is there already', 'addBooking', 'createFilm', /Mutation\.createFilm is made twice/],
    [
      'an undefined scope',
      '@delete(mutation: "deleteFilm", scope: "films:delete")',
      '@delete(mutation: "deleteFilm", scope: "films:drop")',
      /names an undefined scope: films:drop/,
    ],
    [
      'a count of changes that others write',
      '@version(column: "version")',
      '@version(column: "note")',
      /Booking\.count counts changes in booking\.note: that is a column of integers/,
    ],
  ])('%s', async (_what, from, to, message) => {
    expect(await refusal(from, to)).toMatch(message);
  });

  test('rows of others that the database would delete with one', async () => {
    const statement = isMysql
      ? 'CREATE TABLE review (no INT PRIMARY KEY, film_no INT NOT NULL, FOREIGN KEY (film_no) REFERENCES film (no) ON DELETE CASCADE)'
      : 'CREATE TABLE review (no INTEGER PRIMARY KEY, film_no INT NOT NULL REFERENCES film (no) ON DELETE CASCADE)';
    expect(await refusal('nothing', 'nothing', [statement])).toMatch(
      /schema\/films\.graphql:\d+: Film has @delete, and the database would delete or change rows of review with a row of film/,
    );
  });
});
