import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesBelow, importsOf, root, sources } from './support/imports.js';
import layers from './support/layers.json' with { type: 'json' };

const order = layers.order.flat();
const only: Partial<Record<string, string[]>> = layers.only;

test('imports go one way', () => {
  expect(layerFaults(sources)).toEqual([]);
});

/** Files that import one of these, types left out. */
const importersOf = (targets: readonly string[]): string[] =>
  [...sources]
    .filter(([file, text]) =>
      importsOf(file, text).some(({ target, typeOnly }) => !typeOnly && targets.includes(target)),
    )
    .map(([file]) => file);

const calls = (pattern: RegExp): string[] =>
  [...sources].filter(([, text]) => pattern.test(text)).map(([file]) => file);

test('operations run and commit by the gate alone', () => {
  expect(importersOf(['src/graphql/execute/executor.ts'])).toEqual(['src/compose/gate.ts']);
  expect(calls(/\bexecutor\.\w+\(/).sort()).toEqual([
    'src/operation/apollo.ts',
    // Decides an operation, and runs nothing.
    'src/operation/document-report.ts',
    'src/operation/fast-path.ts',
  ]);
  expect(calls(/\bexecutor\.(?!check\()\w+\(/).sort()).toEqual([
    'src/operation/apollo.ts',
    'src/operation/fast-path.ts',
  ]);
  expect(importersOf(['src/operation/gate.ts']).sort()).toEqual([
    'src/compose/gate.ts',
    'src/transports/http/operations.ts',
  ]);
  expect(calls(/\bcommitGate\.(?:release|begin)\(/).sort()).toEqual([
    'src/delegation/auth-records.ts',
    'src/graphql/execute/mutation-transaction.ts',
    'src/operation/commit.ts',
    'src/operation/rejections.ts',
  ]);
});

test('no test patches a module, since files of one worker share theirs', () => {
  const patching = filesBelow('test').filter((file) =>
    /\bvi\s*\.\s*(?:do)?[mM]ock\(/.test(readFileSync(join(root, file), 'utf8')),
  );
  expect(patching).toEqual([]);
});

test('no file of src imports itself through others', () => {
  expect(cycles(sources)).toEqual([]);
});

test.each([
  ['src/store/bounded/rows.ts', "import type { Grant } from '../../oauth/grant.js'", 'src/oauth/grant.ts'],
  ['src/domains/business/orders.ts', "export * from '../../admin/users.js'", 'src/admin/users.ts'],
  ['src/audit/record.ts', "const app = await import('../app.js')", 'src/app.ts'],
  ['src/core/ids.ts', "let x: import('../config.js').Settings", 'src/config.ts'],
  ['src/config.ts', "import './authority/scope.js'", 'src/authority/scope.ts'],
  [
    'src/server/server.ts',
    "import { startMariaDb } from '../../test/support/mariadb.js'",
    'test/support/mariadb.ts',
  ],
  ['migrations/0002-orders.ts', "import '../src/admin/users.js'", 'src/admin/users.ts'],
])('in %s, `%s` is a fault', (file, text, target) => {
  expect(layerFaults(new Map([[file, text]]))).toEqual([`${file} may not import ${target}`]);
});

test('a folder that nobody has given a place is a fault', () => {
  expect(layerFaults(new Map([['src/utils/text.ts', '']]))).toEqual(['src/utils/text.ts is in no layer']);
});

test('a cycle is a fault unless it is of types alone', () => {
  const pair = (importing: string) =>
    new Map([
      ['src/core/a.ts', "import { b } from './b.js'"],
      ['src/core/b.ts', importing],
    ]);
  expect(cycles(pair("import { a } from './a.js'"))).toEqual([
    'src/core/a.ts → src/core/b.ts → src/core/a.ts',
  ]);
  expect(cycles(pair("import type { A } from './a.js'"))).toEqual([]);
});

function layerFaults(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, text]) => {
    const layer = layerOf(file);
    if (layer === undefined) return [`${file} is in no layer`];
    return importsOf(file, text)
      .filter(
        ({ target }) => !isWithin(target, layer) && !importable(layer).some((path) => isWithin(target, path)),
      )
      .map(({ target }) => `${file} may not import ${target}`);
  });
}

function importable(layer: string): string[] {
  const step = layers.order.findIndex((names) => names.includes(layer));
  return only[layer] ?? layers.order.slice(0, step).flat();
}

function cycles(files: ReadonlyMap<string, string>): string[] {
  const edges = new Map(
    [...files].map(([file, text]) => [
      file,
      importsOf(file, text).flatMap(({ target, typeOnly }) => (typeOnly ? [] : [target])),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (path.includes(file) || done.has(file)) return;
    for (const target of edges.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return found;
}

function layerOf(file: string): string | undefined {
  return order.find((layer) => isWithin(file, layer));
}

function isWithin(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}
