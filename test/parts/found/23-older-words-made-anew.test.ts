// databases: sqlite, mariadb
import { setImmediate as nextTurn } from 'node:timers/promises';
import MarkdownIt from 'markdown-it';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { passageEdition } from '../../../src/domains/knowledge/passages.js';
import { PassageRenewal } from '../../../src/domains/knowledge/passage-renewal.js';
import { passages, passageWords, type PassageRow } from '../../../src/domains/knowledge/tables.js';
import { eq } from '../../../src/store/sql/condition.js';
import type { Database } from '../../../src/store/sql/database.js';
import { importPage, reading, startKnowledge } from '../../support/knowledge.js';
import type { PersonFixture, TestServer } from '../../support/server.js';

let server: TestServer;
let reader: PersonFixture;

beforeAll(async () => {
  // The tests renew passages themselves.
  server = await startKnowledge({ renewEveryMs: 86_400_000 });
  reader = await server.person({ scopes: reading });
  for (const number of [1, 2, 3]) {
    const page = { path: `${String(number)}.md`, collection: 'guides', classification: 'public' as const };
    await importPage(server, {
      ...page,
      title: `Page ${String(number)}`,
      body: 'By e-mail.\n\n## Refunds\n\nRefunds.',
    });
  }
});
afterAll(() => server.stop());

async function found(query: string): Promise<number> {
  const { data, errors } = await server.query(
    reader.token,
    '{ search(query: "' + query + '") { nodes { snippet } } }',
  );
  expect(errors).toEqual([]);
  return (data.search.nodes as unknown[]).length;
}

/** As if an older server had made the passages, whose rules knew other words. */
async function age(condition = eq<PassageRow>('collection', 'guides')): Promise<void> {
  await server.database.transaction(async (tx) => {
    for (const row of await tx.select(passages, condition)) {
      const old = { ...row, edition: 0, plain: null, tokens: row.tokens.replaceAll('zwemail', 'zwancient') };
      await passageWords.replace(tx, 'id', row.id, [old]);
    }
  });
}

const editions = async (): Promise<unknown[]> =>
  (await server.database.read.select(passages, eq('collection', 'guides'))).map(({ edition }) => edition);

describe('23 what older rules made is made anew beside the requests', () => {
  test('it is found by its old words until then, and by the new ones after, and the server tells how many wait', async () => {
    await age();
    expect([await found('ancient'), await found('email')]).toEqual([3, 0]);
    const renewal = new PassageRenewal(server.database, server.ids);
    const ending = new AbortController();
    ending.abort();
    await renewal.run(ending.signal);
    expect(renewal.waiting).toBe(6);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    await renewal.run();
    expect(renewal.waiting).toBe(0);
    expect([await found('ancient'), await found('email'), await found('refund')]).toEqual([0, 3, 3]);
    expect(await editions()).toEqual(Array(6).fill(passageEdition));
  });

  test('a server does it by itself', async () => {
    await age();
    const other = await server.replica({ renewEveryMs: 1 });
    while ((await editions()).some((edition) => edition !== passageEdition)) await nextTurn();
    await other.stop();
    expect([await found('ancient'), await found('email')]).toEqual([0, 3]);
  });

  test('passages are made before the transaction, in which SQLite would hold up every other change', async () => {
    await age();
    const parse = vi.spyOn(MarkdownIt.prototype, 'parse');
    const parsedInside: number[] = [];
    let parsedOutside = 0;
    const { read } = server.database;
    const transaction: Database['transaction'] = async (work) => {
      parsedOutside += parse.mock.calls.length;
      parse.mockClear();
      const result = await server.database.transaction(work);
      parsedInside.push(parse.mock.calls.length);
      return result;
    };
    try {
      await new PassageRenewal({ read, transaction }, server.ids).run();
    } finally {
      parse.mockRestore();
    }
    expect(parsedInside).toEqual([0, 0, 0]);
    expect(parsedOutside).toBeGreaterThanOrEqual(3);
    expect(await editions()).toEqual(Array(6).fill(passageEdition));
  });

  test('a document that an older server changes in between gets no passages of its former text', async () => {
    const page = {
      path: 'moving.md',
      collection: 'guides',
      classification: 'public',
      title: 'Moving',
    } as const;
    await importPage(server, { ...page, body: 'Formerly.' });
    const isMoving = eq<PassageRow>('title', 'Moving');
    await age(isMoving);
    const { read } = server.database;
    let transactions = 0;
    const transaction: Database['transaction'] = async (work) => {
      transactions += 1;
      if (transactions === 1) {
        await importPage(server, { ...page, body: 'Nowadays.' });
        await age(isMoving);
      }
      return server.database.transaction(work);
    };
    await new PassageRenewal({ read, transaction }, server.ids).run();
    expect(transactions).toBe(2);
    expect(await read.select(passages, isMoving)).toMatchObject([
      { plain: 'Nowadays.', version: 2, edition: passageEdition },
    ]);
    expect([await found('formerly'), await found('nowadays')]).toEqual([0, 1]);
  });
});
