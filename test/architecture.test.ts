import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importsOf, root, sources } from './support/imports.js';
import layers from './support/layers.json' with { type: 'json' };

const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const ways = ['a query', 'a mutation', 'a token', 'a revocation'];
const tasks = [
  'a scope and type',
  'an OAuth grant',
  'a guarded path',
  'a dialect of tokens',
  'how a boundary becomes SQL',
  'approvals before a mutation runs',
  'an MCP endpoint',
  'what a record holds',
  'a dimension',
  "a page's look",
  'a command',
  'an error code',
  'a console',
  'a webhook',
  'another kind of database',
];

interface Step {
  readonly file: string;
  /** The event that calls the file, where no earlier step imports it. */
  readonly event: string | undefined;
}

test('every file and folder that the page names exists', () => {
  const named = [...page.matchAll(/`((?:src|schema|test|migrations|roles|docs)\/[^`\s]*)`/g)].map(
    ([, path = '']) => path,
  );
  expect(named.length).toBeGreaterThan(80);
  expect(named.filter((path) => !path.includes('<') && !existsSync(join(root, path)))).toEqual([]);
});

test('the order of imports is the one that the lint rule and the layer test hold', () => {
  const order = layers.order.map((names) => names.map((name) => name.replace(/^src\//, '')).join(', '));
  expect(
    /```text\n([\s\S]*?)```/
      .exec(partOf('Folders'))?.[1]
      ?.trim()
      .split(/\s*←\s*/),
  ).toEqual(order);
});

test('every folder of src is in the table of folders, and no other', () => {
  const foldersIn = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${folder}/${entry.name}`);
  const parts = ['src', 'src/graphql', 'src/store', 'src/transports'];
  const listed = rowsOf(partOf('Folders')).map(([first = '']) => first.replaceAll('`', ''));
  expect(listed.sort()).toEqual(parts.flatMap(foldersIn).sort());
});

describe.each(ways)('the way of %s', (way) => {
  const lines = partOf(`The way of ${way}`)
    .split('\n')
    .filter((line) => /^\d+\./.test(line));
  const steps = lines.map((line): Step => {
    const [, file = '', event] =
      /^\d+\. `(src\/[^`]+\.ts)`(?: \(event: ([^)]+)\))?: \S.*\.$/.exec(line) ?? [];
    return { file, event };
  });

  test('is a list of files, each once, with a sentence', () => {
    expect(steps.length).toBeGreaterThan(7);
    expect(lines.filter((_, at) => steps[at]?.file === '')).toEqual([]);
    expect(new Set(steps.map(({ file }) => file)).size).toBe(steps.length);
  });

  test('goes by imports, or by an event where the list says so', () => {
    const faults = steps.slice(1).flatMap(({ file, event }, at) => {
      const isImported = steps.slice(0, at + 1).some((earlier) => reaches(earlier.file, file));
      if (isImported === (event === undefined)) return [];
      return [isImported ? `${file} needs no event` : `no earlier step imports ${file}`];
    });
    expect(faults).toEqual([]);
  });
});

test('every task has its line', () => {
  const listed = rowsOf(partOf('Where to go')).map(([task, place]) => ({ task, place: place ?? '' }));
  expect(listed.map(({ task }) => task)).toEqual(tasks);
  for (const { place } of listed) expect(place).toMatch(/`(src|schema)\/[^`]+`/);
});

test('the README leads here', () => {
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain('](docs/architecture.md)');
});

/** The text below a heading, up to the next one. */
function partOf(heading: string): string {
  const [, part] = page.split(`\n## ${heading}\n`);
  return part?.split(/^## /m)[0] ?? '';
}

/** The cells of a table, its head left out. */
function rowsOf(part: string): string[][] {
  return part
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** True where a file imports another one, directly or over one file between. */
function reaches(from: string, to: string): boolean {
  const direct = targetsOf(from);
  return direct.includes(to) || direct.some((file) => targetsOf(file).includes(to));
}

function targetsOf(file: string): string[] {
  return importsOf(file, sources.get(file) ?? '').map(({ target }) => target);
}
