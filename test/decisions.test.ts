import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

/** All files below a folder, from the root of the project. */
const filesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes('node_modules'));

const folder = 'docs/decisions';
const index = 'README.md';
const linesMax = 59;

const records = filesBelow(folder)
  .map((file) => relative(folder, file))
  .filter((file) => file !== index)
  .sort();

describe('the records of decisions', () => {
  test('are numbered from 0001 on, each number once', () => {
    expect(records.map((file) => file.slice(0, 5))).toEqual(
      records.map((_, at) => `${String(at + 1).padStart(4, '0')}-`),
    );
  });

  test('come in the order of their dates', () => {
    const dates = records.map((file) => /^- Date: (.*)$/m.exec(textOf(join(folder, file)))?.[1] ?? '');
    expect(dates).toEqual(dates.toSorted());
  });

  test.each(records)('%s has its five parts within a page', (file) => {
    const text = textOf(join(folder, file));
    expect(file).toMatch(/^\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.md$/);
    expect(text).toMatch(
      new RegExp(`^# ${file.slice(0, 4)}\\. .+\n\n- Date: \\d{4}-\\d{2}-\\d{2}\n- Status: `),
    );
    expect(/^- Status: (.*)$/m.exec(text)?.[1]).toMatch(/^(accepted|superseded by \[\d{4}\]\(.+\.md\))$/);
    expect([...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual([
      'Context',
      'Decision',
      'Consequences',
    ]);
    for (const part of text.split(/^## .*$/m).slice(1)) expect(part.trim()).not.toBe('');
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(linesMax);
  });

  test('stand in the index once each, by their titles and with a line of their own', () => {
    const entries = [...textOf(join(folder, index)).matchAll(/^- \[(.+)\]\((.+?)\): \S.*$/gm)];
    const listed = entries.map(([, title, file]) => [file, `# ${String(title)}`]);
    const wanted = records.map((file) => [file, textOf(join(folder, file)).split('\n', 1)[0]]);
    expect(listed.sort()).toEqual(wanted);
  });
});

const pages = ['README.md', ...filesBelow('docs').filter((file) => file.endsWith('.md'))];

test.each(pages)('every link of %s leads somewhere', (page) => {
  const faults = linksOf(textOf(page)).filter((link) => {
    const [path = '', anchor] = decodeURI(link).split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(textOf(target)).has(anchor);
  });
  expect(faults).toEqual([]);
});

test('what a file says of a decision names its record', () => {
  // In two parts, as this file is looked at, too.
  const former = ['decisions', 'md'].join('.');
  const folders = ['src', 'test', 'bench', 'migrations', 'schema', 'examples', 'docs'];
  const files = [...folders.flatMap(filesBelow), 'README.md', 'CHANGELOG.md', 'package.json'].filter((file) =>
    /\.(ts|mjs|js|json|md|graphql|ya?ml)$/.test(file),
  );
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => textOf(file).includes(former))).toEqual([]);
  const named = new RegExp(`${folder}/(\\d{4}[\\w-]*(?:\\.md)?)`, 'g');
  const missing = files.flatMap((file) =>
    [...textOf(file).matchAll(named)]
      .map(([, name = '']) => name)
      .filter((name) => !records.includes(name))
      .map((name) => `${file}: ${name}`),
  );
  expect(missing).toEqual([]);
});

const withoutBlocks = (markdown: string): string => markdown.replace(/^( *)(```|~~~)[\s\S]*?^ *\2`*$/gm, '');

/** Links to other pages of the project, or to a heading of the page itself. */
function linksOf(markdown: string): string[] {
  const text = withoutBlocks(markdown).replace(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s+(\S+)/gm)]
    .map(([, inline, reference]) => inline ?? reference ?? '')
    .filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link));
}

/** As GitHub makes them of headings: a heading that comes again gets a number. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutBlocks(markdown).matchAll(/^#{1,6} +(.*?) *#*$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '').replaceAll(' ', '-');
    let unique = anchor;
    for (let again = 1; anchors.has(unique); again += 1) unique = `${anchor}-${String(again)}`;
    anchors.add(unique);
  }
  return anchors;
}
