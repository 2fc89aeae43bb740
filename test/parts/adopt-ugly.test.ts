// databases: sqlite, mariadb
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Adopted } from '../support/adopted.js';
import { testDatabase } from '../support/database.js';
import { everywhere } from '../support/server.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const isMysql = testDatabase() === 'mariadb';
const table = (name: string, ...columns: readonly string[]): string =>
  `CREATE TABLE \`${name}\` (${columns.join(', ')})`;
const key = (name: string): string => `\`${name}\` INTEGER NOT NULL PRIMARY KEY`;

/** The ugliest tables that somebody could have. */
const tables: readonly string[] = [
  ...(isMysql ? ['SET FOREIGN_KEY_CHECKS = 0'] : []),
  // Foreign keys in a circle, to itself, and two to the same table.
  table(
    'egg',
    key('no'),
    'hen INTEGER',
    'other INTEGER',
    'twin_id INTEGER',
    'FOREIGN KEY (hen) REFERENCES hen (no)',
    'FOREIGN KEY (other) REFERENCES hen (no)',
    'FOREIGN KEY (twin_id) REFERENCES egg (no)',
  ),
  table(
    'hen',
    key('no'),
    'egg_id INTEGER',
    'egg VARCHAR(20)',
    'eggs VARCHAR(20)',
    'FOREIGN KEY (egg_id) REFERENCES egg (no)',
  ),
  // Words of GraphQL and of SQL, names that begin with digits or with __, and names that are taken.
  table('type', key('type'), '`input` VARCHAR(9) NOT NULL', '`__typename` VARCHAR(9)', '`true` INTEGER'),
  table('String', key('order'), '`select` VARCHAR(9)'),
  table('query', key('id'), '`null` VARCHAR(9)'),
  table('mutations', key('id'), 'x VARCHAR(9)'),
  table('subscription', key('id'), 'x VARCHAR(9)'),
  table('__schema', key('id'), 'x VARCHAR(9)'),
  table('2fa codes', key('2fa'), '`9 lives` VARCHAR(9)'),
  table('documents', key('id'), 'title VARCHAR(9)'),
  table('document_connection', key('id'), 'title VARCHAR(9)'),
  table('scalar', key('id'), '`enum` VARCHAR(9)', '`extend` VARCHAR(9)'),
  // Names of what is made.
  table(
    'node',
    key('id'),
    'nodes VARCHAR(9)',
    '`cursor` VARCHAR(9)',
    '`filter` VARCHAR(9)',
    '`first` INTEGER',
    '`after` VARCHAR(9)',
  ),
  table('node_filter', key('id'), 'order_by VARCHAR(9)'),
  table('node_order', key('id'), 'x VARCHAR(9)'),
  table('node edge', key('id'), 'x VARCHAR(9)'),
  table('nodes', key('id'), 'x VARCHAR(9)'),
  table('page_info', key('id'), 'x VARCHAR(9)'),
  table('viewer', key('id'), 'x VARCHAR(9)'),
  // Other letters, spaces, quotes, points, slashes.
  table('таблица', key('номер'), '`имя` VARCHAR(9)', '`цена` INTEGER'),
  table('表', key('番号'), '`名前` VARCHAR(9)'),
  table('État civil', key('né'), '`prénom` VARCHAR(9)'),
  table('a"b\'c', key('x"y'), "`it's` VARCHAR(9)", '`#` VARCHAR(9)', '`$$` VARCHAR(9)'),
  table('../up', key('id'), 'x VARCHAR(9)'),
  table('dotted.name', key('a.b'), '`c.d` VARCHAR(9)'),
  table('with  two spaces', key('a  b'), '`a b` VARCHAR(9)', '`a_b` VARCHAR(9)', '`aB` VARCHAR(9)'),
  ...(isMysql ? [table('NODE', key('id'), 'x VARCHAR(9)'), table('Egg', key('id'), 'x VARCHAR(9)')] : []),
  // A column `id` that is not the key, keys of several columns, of texts, and nothing beside the key.
  table('not_id', key('no'), '`id` VARCHAR(9)', '`ID2` VARCHAR(9)'),
  table('pair', 'a INTEGER NOT NULL', 'b VARCHAR(20) NOT NULL', 'PRIMARY KEY (b, a)', 'UNIQUE (a, b)'),
  table(
    'pair_line',
    key('no'),
    'left_a INTEGER',
    'left_b VARCHAR(20)',
    'FOREIGN KEY (left_a, left_b) REFERENCES pair (a, b)',
  ),
  table('only', key('id')),
  table('personal_only', key('email'), 'phone VARCHAR(9)', 'address VARCHAR(9)'),
  table('bytes_only', key('no'), `a ${isMysql ? 'LONGBLOB' : 'BLOB'}`),
  table(
    'text_key',
    '`code` VARCHAR(40) NOT NULL PRIMARY KEY',
    'ref VARCHAR(40)',
    'FOREIGN KEY (ref) REFERENCES text_key (code)',
  ),
  table('unique_ref', key('no'), 'code VARCHAR(20) NOT NULL UNIQUE'),
  table('only_unique', 'code INTEGER NOT NULL UNIQUE', 'x VARCHAR(9)'),
  table('refers_to_unique', key('no'), 'code VARCHAR(20)', 'FOREIGN KEY (code) REFERENCES unique_ref (code)'),
  table('x'.repeat(60), key('y'.repeat(60)), `\`${'z'.repeat(60)}\` VARCHAR(9)`),
  table('status', key('id'), 'statuses VARCHAR(9)'),
  table('news', key('id'), 'x VARCHAR(9)'),
  table('_', key('_'), '`__` VARCHAR(9)', '`___` VARCHAR(9)'),
  table('price', key('id'), 'total DECIMAL(8,2)', 'at DATETIME NOT NULL', 'is_open BOOLEAN NOT NULL'),
  ...(isMysql
    ? [
        'CREATE TABLE versioned (no INT PRIMARY KEY, code INT NOT NULL UNIQUE, x VARCHAR(9)) WITH SYSTEM VERSIONING',
        "CREATE TABLE commented (no INT PRIMARY KEY, a INT COMMENT 'say \"hi\" \\\\ \\\\n {x} # y', b INT COMMENT 'ends.') COMMENT 'quotes \"\"\" and\nlines'",
        'SET FOREIGN_KEY_CHECKS = 1',
      ]
    : []),
];

describe('adopting ugly tables', () => {
  let adopted: Adopted;
  beforeAll(async () => {
    adopted = await Adopted.of(tables);
  });
  afterAll(() => adopted.drop());

  test('gives a folder that can be served once it is decided, and nothing new the second time', async () => {
    const told = await adopted.cli.json<{ written: string[]; leftOut: string[] }>([
      'adopt',
      '--out',
      'company',
    ]);
    expect(told.leftOut).toEqual([]);
    expect(told.written.length).toBe(tables.filter((sql) => sql.startsWith('CREATE')).length);
    expect(readdirSync(join(adopted.folder, 'schema')).length).toBe(told.written.length);
    adopted.decide();
    expect(await adopted.refusal()).toBe('');
    expect((await adopted.cli.run(['check', 'company'])).code).toBe(0);
    expect(await adopted.cli.json(['adopt', '--out', 'company'])).toMatchObject({
      written: [],
      newTables: [],
      newColumns: [],
      gone: [],
    });
  });

  test('serves every list and every page of it', async () => {
    const server = await adopted.start();
    try {
      interface Field {
        readonly name: string;
        readonly type: { readonly name: string | null };
      }
      const scopes = server.app.scopes.filter((scope) => /:read(?:_personal)?$/.test(scope));
      const { token } = await server.person({ scopes, boundary: { ...everywhere, store: 'all' } });
      const known = await server.query(token, '{ __schema { queryType { fields { name type { name } } } } }');
      const { fields } = (known.data as { __schema: { queryType: { fields: Field[] } } }).__schema.queryType;
      const lists = fields.filter(({ type }) => type.name?.endsWith('Connection') === true);
      expect(lists.length).toBeGreaterThan(35);
      for (const { name } of lists) {
        const answer = await server.query(token, `{ ${name}(first: 1) { totalCount nodes { __typename } } }`);
        expect([name, answer.errors]).toEqual([name, []]);
      }
    } finally {
      await server.stop();
    }
  });
});
