import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type TestDatabase = 'sqlite' | 'mariadb';

const root = join(import.meta.dirname, '..', '..');
const declaration = /^\/\/ databases: (sqlite|mariadb|sqlite, mariadb)\n/;

/** The databases that the first line of a test file names. */
export function databasesOf(file: string): string[] {
  const names = declaration.exec(readFileSync(join(root, file), 'utf8'))?.[1];
  if (names === undefined)
    throw new Error(`The first line of ${file} must name its databases: // databases: sqlite, mariadb`);
  return names.split(', ');
}

/** The test files that name this database. */
export function filesOn(database: TestDatabase): string[] {
  return ['test/promises', 'test/parts']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name}`,
      ),
    )
    .filter((file) => file.endsWith('.test.ts') && databasesOf(file).includes(database));
}
