// databases: sqlite, mariadb
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Adopted } from '../support/adopted.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const tables = [
  'CREATE TABLE store (store_no INTEGER NOT NULL PRIMARY KEY, area VARCHAR(40) NOT NULL, plan VARCHAR(9))',
  'CREATE TABLE film (film_no INTEGER NOT NULL PRIMARY KEY, title VARCHAR(100) NOT NULL, hidden VARCHAR(9), length INTEGER)',
  'CREATE TABLE old (old_no INTEGER NOT NULL PRIMARY KEY, note VARCHAR(9) NOT NULL)',
];
const changes = [
  'CREATE TABLE rental (rental_no INTEGER NOT NULL PRIMARY KEY, film_no INTEGER NOT NULL, day VARCHAR(10) NOT NULL, FOREIGN KEY (film_no) REFERENCES film (film_no))',
  'ALTER TABLE film ADD COLUMN rating INTEGER',
  'ALTER TABLE film ADD COLUMN email VARCHAR(50)',
  'ALTER TABLE film DROP COLUMN length',
  'DROP TABLE old',
];

interface Told {
  readonly written: string[];
  readonly newColumns: { readonly sdl: string }[];
}

describe('adopting a database again', () => {
  let adopted: Adopted;
  const files = (): Record<string, string> =>
    Object.fromEntries(
      readdirSync(join(adopted.folder, 'schema')).map((name) => [
        name,
        readFileSync(join(adopted.folder, 'schema', name), 'utf8'),
      ]),
    );
  const again = async (): Promise<{ code: number | null; told: Told; stderr: string }> => {
    const { code, stdout, stderr } = await adopted.cli.run(['adopt', '--out', 'company', '--json']);
    return { code, told: JSON.parse(stdout === '' ? '{}' : stdout) as Told, stderr };
  };

  beforeAll(async () => {
    adopted = await Adopted.of(tables);
    await adopted.cli.ok(['adopt', '--out', 'company']);
    adopted.decide();
    // What people write stays, wherever it stands.
    adopted.edit('schema/film.graphql', (sdl) =>
      sdl
        .replace(/ {2}"The column hidden\."\n.*\n/, '  # left out: hidden (nobody needs it)\n')
        .replaceAll('Film', 'Movie')
        .replaceAll('films:read', 'movies:see'),
    );
    adopted.write('schema/movies.graphql', files()['film.graphql'] ?? '');
    adopted.write('schema/film.graphql', '# It is in movies.graphql.\n');
  });
  afterAll(() => adopted.drop());

  test('tells that nothing is new where nothing is', async () => {
    const before = files();
    const { code, told } = await again();
    expect([code, told]).toMatchObject([0, { written: [], newTables: [], newColumns: [], gone: [] }]);
    const { stdout } = await adopted.cli.run(['adopt', '--out', 'company']);
    expect(stdout).toContain('Nothing is new, and nothing is gone.');
    expect(files()).toEqual(before);
  });

  test('writes new tables, tells new columns as lines, and what is gone with its place', async () => {
    const before = files();
    await adopted.run(...changes);
    const { code, told } = await again();
    expect(code).toBe(3);
    expect(told).toMatchObject({
      written: ['rental.graphql'],
      newTables: ['rental'],
      newColumns: [{ type: 'Movie', table: 'film', columns: ['rating', 'email'] }],
      gone: [
        {
          coordinate: 'Movie.length',
          table: 'film',
          column: 'length',
          place: expect.stringMatching(/^schema\/movies\.graphql:\d+$/) as string,
        },
        {
          coordinate: 'Old',
          table: 'old',
          place: expect.stringMatching(/^schema\/old\.graphql:\d+$/) as string,
        },
      ],
    });
    expect(told.newColumns[0]?.sdl).toBe(
      '  # Needs, if it is not there: extend schema @defineScope(name: "movies:read_personal", description: "Read personal data of films.")\n' +
        '  "The column rating."\n  rating: Int @scope(name: "movies:see")\n' +
        '  "The column email."\n  email: String @scope(name: "movies:read_personal") @personal',
    );
    const { 'rental.graphql': rental, ...others } = files();
    expect(others).toEqual(before);
    expect(rental).toContain('film: Movie @scope(name: "movies:see") @reference(column: "film_no")');
    const { stdout } = await adopted.cli.run(['adopt', '--out', 'company']);
    expect(stdout).toMatch(/gone: the table old, which Old names \(schema\/old\.graphql:\d+\)/);
  });

  test('knows columns and tables that comments leave out', async () => {
    adopted.write('schema/film.graphql', '# left out: table store\n# left out: table old\n');
    adopted.edit('schema/movies.graphql', (sdl) =>
      sdl.replace(/ {2}"The column length\."\n.*\n/, '  # left out: rating, email\n'),
    );
    adopted.write('schema/store.graphql', '');
    adopted.write('schema/old.graphql', '');
    const { code, told } = await again();
    expect([code, told]).toMatchObject([0, { written: [], newTables: [], newColumns: [], gone: [] }]);
  });

  test('does not guess what a file that cannot be read names', async () => {
    const movies = files()['movies.graphql'] ?? '';
    adopted.write('schema/movies.graphql', 'type {');
    const { code, stderr } = await again();
    expect(code).toBe(1);
    expect(stderr).toContain('schema/movies.graphql:1: Syntax Error: Expected Name, found "{".');
    adopted.write('schema/movies.graphql', movies);
  });

  test('proposes nothing that leads to a table without a type', async () => {
    await adopted.cli.ok(['adopt', '--out', 'third', '--table', 'rental']);
    const rental = readFileSync(adopted.cli.path('third', 'schema', 'rental.graphql'), 'utf8');
    expect(rental).toContain('filmNo: Int');
    expect(rental).not.toContain('@reference');
  });

  test('takes the database that is named, and so does `check`', async () => {
    const elsewhere = { DATABASE_URL: 'sqlite:nothing.db' };
    const { url } = adopted.fresh;
    const there = await adopted.cli.run(['adopt', '--out', 'other', '--database', url], elsewhere);
    expect([there.code, there.stdout]).toEqual([0, expect.stringContaining('3 types are in other/schema')]);
    const checked = await adopted.cli.run(['check', 'other', '--database', url], elsewhere);
    expect([checked.code, checked.stderr]).toEqual([
      1,
      expect.stringContaining('Rental must either bound or name as unbounded'),
    ]);
    const missing = await adopted.cli.run(['adopt', '--out', 'other'], elsewhere);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('There is no database at')]);
  });
});
