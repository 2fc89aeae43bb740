// databases: sqlite, mariadb
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at, codes, Company, key, nodesAt } from '../../support/administration.js';
import { CommandLine } from '../../support/command-line.js';
import { digestOf } from '../../support/faults.js';
import { all } from '../../../src/store/sql/condition.js';
import { trustedDocuments } from '../../../src/store/tables/documents.js';
import type { Answer } from '../../support/server.js';

let company: Company;
let cli: CommandLine;
beforeAll(async () => {
  company = await Company.start();
  cli = await CommandLine.open({ DATABASE_URL: company.server.databaseUrl });
});
afterAll(async () => {
  await cli.close();
  await company.server.stop();
});

type Document = readonly [name: string, source: string];

const register = (...documents: readonly Document[]): Promise<Answer> =>
  company.ask(
    company.root,
    `mutation ($input: [RegisterDocumentInput!]!, $key: String!) {
      registerDocuments(input: $input, idempotencyKey: $key) { replaced documents { id hash kind } } }`,
    { input: documents.map(([name, source]) => ({ name, source })), key: key() },
  );

const retire = async (answer: Answer): Promise<void> => {
  const [first] = at(answer, 'registerDocuments.documents') as { id: string }[];
  const text = `mutation { retireDocument(id: "${first?.id ?? ''}", idempotencyKey: "${key()}") { __typename } }`;
  expect((await company.ask(company.root, text)).errors).toEqual([]);
};

const query = (name: string, more = ''): Document => [name, `query ${name} { viewer { scopes } } # ${more}`];
const mutation = (name: string, more = ''): Document => [
  name,
  `mutation ${name} { completeTask(idempotencyKey: "x") { task } } # ${more}`,
];

const everything = async (): Promise<unknown> => [
  await digestOf(company.server.database),
  await company.server.database.read.select(trustedDocuments, all()),
];

async function isRefused(work: Promise<Answer>, name: string): Promise<void> {
  const answer = await work;
  expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
  expect(answer.errors[0]?.message).toContain(name);
  expect(answer.errors[0]?.message).toMatch(/stood for a (query|mutation) since/);
}

describe('04 a registered name keeps its kind', () => {
  test.each([
    ['a mutation under the name of a query', query, mutation],
    ['a query under the name of a mutation', mutation, query],
  ])('%s is refused, also when that was replaced or retired', async (_, first, other) => {
    const name = `Kind${key().replace('key-', '')}`;
    const stands = await register(first(name));
    expect(stands.errors).toEqual([]);
    let before = await everything();
    await isRefused(register(other(name)), name);
    // All or none: not even what stands beside it.
    await isRefused(register(query(`Beside${name}`), other(name)), name);
    expect(await everything()).toEqual(before);

    const replaced = await register(first(name, 'second'));
    expect(at(replaced, 'registerDocuments.replaced')).toBe(1);
    await retire(replaced);
    before = await everything();
    await isRefused(register(other(name)), name);
    expect(await everything()).toEqual(before);
    expect((await register(first(name, 'third'))).errors).toEqual([]);
  });

  test('two names cannot exchange a query for a mutation', async () => {
    const [reading, writing] = [query('Reading'), mutation('Writing')];
    expect((await register(reading, writing)).errors).toEqual([]);
    const before = await everything();
    const answer = await register(['Reading', writing[1]], ['Writing', reading[1]]);
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect(await everything()).toEqual(before);
  });

  test('neither by `behalf documents sync`, which tells the file', async () => {
    const folder = cli.path('operations');
    await mkdir(folder);
    const write = (text: string): Promise<void> => writeFile(cli.path('operations', 'one.graphql'), text);
    await write('query Synced { viewer { scopes } }');
    await cli.ok(['documents', 'sync', folder, '--as', 'root']);
    await rm(cli.path('operations', 'one.graphql'));
    await writeFile(cli.path('operations', 'two.graphql'), 'query Another { viewer { scopes } }');
    await cli.ok(['documents', 'sync', folder, '--prune', '--as', 'root']);
    await write('mutation Synced { completeTask(idempotencyKey: "x") { task } }');
    const before = await everything();
    const ended = await cli.run(['documents', 'sync', folder, '--as', 'root']);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('one.graphql');
    expect(ended.stderr).toContain('stood for a query');
    expect(await everything()).toEqual(before);
  });

  test('all that a name stood for stays visible, and is found by the hash that records tell', async () => {
    const first = await register(query('Told', 'one'));
    const second = await register(query('Told', 'two'));
    const hashOf = (answer: Answer): string =>
      (at(answer, 'registerDocuments.documents') as { hash: string }[])[0]?.hash ?? '';
    const ask = (filter: string): Promise<Answer> =>
      company.ask(
        company.root,
        `{ trustedDocuments(filter: ${filter}) { nodes { hash source retired retiredBy { name } registeredBy { name } } } }`,
      );
    const said = { registeredBy: { name: 'root' }, source: expect.stringContaining('query Told') as string };
    const [old, now] = [
      { ...said, hash: hashOf(first), retired: true, retiredBy: { name: 'root' } },
      { ...said, hash: hashOf(second), retired: false, retiredBy: null },
    ];
    expect(nodesAt(await ask('{ name: "Told" }'), 'trustedDocuments')).toEqual([old, now]);
    expect(nodesAt(await ask(`{ hash: "${hashOf(first)}" }`), 'trustedDocuments')).toEqual([old]);
    const history = await cli.json<Record<string, unknown>[]>(['documents', 'history', 'Told']);
    expect(history).toMatchObject([
      { hash: hashOf(first), kind: 'query', registeredBy: 'root', retiredBy: 'root' },
      { hash: hashOf(second), kind: 'query', registeredBy: 'root', retiredBy: null },
    ]);
    expect((await cli.run(['documents', 'history', 'Never'])).code).toBe(1);
  });
});
