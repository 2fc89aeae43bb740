// databases: sqlite, mariadb
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Adopted } from '../support/adopted.js';
import { testDatabase } from '../support/database.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const isMysql = testDatabase() === 'mariadb';
const tables = [
  'CREATE TABLE badge (code VARCHAR(20) NOT NULL, room INT NOT NULL, holder VARCHAR(20) NOT NULL, UNIQUE (code), UNIQUE (room))',
  `CREATE TABLE visit (no INTEGER PRIMARY KEY, code VARCHAR(20) NOT NULL, room INT NOT NULL, minutes BIGINT NOT NULL,
     hours INT AS (no * 2), place ${isMysql ? 'POINT' : 'GEOMETRY'}, FOREIGN KEY (code) REFERENCES ${isMysql ? 'badge (code)' : 'BADGE (Code)'},
     FOREIGN KEY (room) REFERENCES badge (room))`,
  'CREATE VIEW long_visit AS SELECT no, minutes FROM visit WHERE minutes > 60',
  'CREATE VIEW unsorted AS SELECT 1.5 AS amount',
  'CREATE TABLE thing (no INTEGER PRIMARY KEY, name VARCHAR(20))',
  'CREATE VIEW staff_list AS SELECT no, code AS name, code AS `zip code` FROM visit',
  'CREATE TABLE lost (no INTEGER PRIMARY KEY)',
  'CREATE VIEW found AS SELECT no FROM lost',
  'DROP TABLE lost',
  "INSERT INTO badge VALUES ('a', 1, 'Ann'), ('b', 2, 'Bob')",
  "INSERT INTO visit (no, code, room, minutes) VALUES (1, 'a', 1, 30), (2, 'b', 2, 9007199254740993)",
];

describe('adopting views, and tables that have no primary key', () => {
  let adopted: Adopted;
  let told: string;
  const sdl = (file: string): string => readFileSync(join(adopted.folder, 'schema', file), 'utf8');
  beforeAll(async () => {
    adopted = await Adopted.of(tables);
    told = await adopted.cli.ok(['adopt', '--out', 'company']);
  });
  afterAll(() => adopted.drop());

  test('leaves the key of a view to be decided, and tells what cannot be shown', () => {
    expect(sdl('long_visit.graphql')).toContain(
      'A view does not say.\n' +
        '  @table(name: "long_visit", one: "long visit", many: "long visits", order: { by: "no" }, key: [])',
    );
    expect(told).toContain(`visit: place (${isMysql ? 'point' : 'geometry'}) cannot be shown`);
    expect(told).toContain('found: the database finds no column of it: what it reads may be gone');
    if (!isMysql) expect(told).toContain('unsorted: it has no column by which its rows can be sorted');
  });

  test('takes the name of a person for personal, and that of a thing not', () => {
    for (const name of ['name', 'zip code'])
      expect(sdl('staff_list.graphql')).toMatch(
        new RegExp(`The column ${name}[^@]*@scope\\(name: "staff_lists:read_personal"\\) @personal`),
      );
    expect(sdl('thing.graphql')).toContain('name: String @scope(name: "things:read")');
  });

  test('takes a unique index for the key, and shows a reference to other columns as a value', () => {
    expect(sdl('visit.graphql')).toContain(
      'code: Badge @scope(name: "badges:read") @reference(column: "code")',
    );
    expect(sdl('visit.graphql')).toMatch(/ {2}room: Int!? @scope\(name: "visits:read"\)/);
    expect(sdl('badge.graphql')).toContain(
      'visits: [Visit!] @scope(name: "visits:read") @children(column: "code")',
    );
    expect(sdl('badge.graphql')).not.toContain('@children(column: "room")');
  });

  test('is served when the key is declared', async () => {
    adopted.decide();
    expect(await adopted.refusal()).toMatch(
      /schema\/long_visit\.graphql:\d+: LongVisit cannot be over long_visit: its key is left open/,
    );
    for (const [file, key] of [
      ['long_visit.graphql', 'no'],
      ['staff_list.graphql', 'no'],
      ...(isMysql ? [['unsorted.graphql', 'amount']] : []),
    ] as const)
      writeFileSync(join(adopted.folder, 'schema', file), sdl(file).replace('key: []', `key: ["${key}"]`));
    const server = await adopted.start();
    try {
      const { token } = await server.person({ scopes: ['long_visits:read', 'visits:read', 'badges:read'] });
      const answer = await server.query(
        token,
        '{ longVisits { nodes { id no minutes } } visits { nodes { minutes hours code { id } } } badges { totalCount } }',
      );
      const minutes = '9007199254740993';
      expect([answer.errors, answer.data]).toMatchObject([
        [],
        {
          longVisits: { nodes: [{ no: 2, minutes }] },
          visits: {
            nodes: [
              { minutes: '30', code: {} },
              { minutes, code: {} },
            ],
          },
          badges: { totalCount: 2 },
        },
      ]);
    } finally {
      await server.stop();
    }
  });
});
