// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ticketMessages, type TicketRow } from '../../src/domains/business/tables.js';
import { upsertImportedDocument } from '../../src/domains/knowledge/document-writes.js';
import { passages } from '../../src/domains/knowledge/tables.js';
import { BusinessRows } from '../support/business.js';
import { loadDocuments } from '../support/demo-rows.js';
import { postMessage } from '../support/mcp.js';
import { everywhere, TestServer } from '../support/server.js';

const scopes = ['customers:read', 'tickets:read', 'tickets:reply', 'documents:read'];
let server: TestServer;
let token: string;
let graphqlToken: string;
let ticket: TicketRow;
let rows: BusinessRows;
beforeAll(async () => {
  server = await TestServer.start();
  await loadDocuments(server.database, server.ids);
  rows = new BusinessRows(server);
  ticket = await rows.ticket('T-CUT', await rows.customer('C-CUT', 'europe'));
  const person = await server.person({ scopes });
  const task = { scopes, boundary: everywhere, operationsMax: 100_000, rowsMax: 1_000_000 };
  const { delegationId, token: ofGraphql } = await server.agent(person, { scopes }, task);
  graphqlToken = ofGraphql;
  token = await server.token(person.id, delegationId, scopes, '/mcp');
});
afterAll(() => server.stop());

interface Cut {
  readonly path: string;
  readonly shown: number;
  readonly of: number;
  readonly next: string;
}
interface Told<Data> {
  readonly data: Data | null;
  readonly cut?: readonly Cut[];
  readonly errors?: readonly object[];
}

async function call<Data>(name: string, input: object): Promise<Told<Data>> {
  const answer = await postMessage(server.url, token, 'tools/call', { name, arguments: input });
  const { result } = (await answer.json()) as { result: { structuredContent: Told<Data> } };
  return result.structuredContent;
}

interface Page {
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string };
}

/** The ids of all rows, read by the answers' own cursors and, where a page has none, by what `cut` says. */
async function follow(pageOf: (first: number, after: string | null) => Promise<[Page, readonly Cut[]]>) {
  const ids: string[] = [];
  let after: string | null = null;
  let [first, wereCut] = [50, 0];
  for (;;) {
    const [{ nodes, pageInfo }, cut]: [Page, readonly Cut[]] = await pageOf(first, after);
    wereCut += cut.length;
    if (pageInfo.hasNextPage && pageInfo.endCursor === undefined) {
      first = Number(/`first: (\d+)`/.exec(cut[0]?.next ?? '')?.[1]);
      continue;
    }
    ids.push(...nodes.map(({ id }) => id));
    if (!pageInfo.hasNextPage) return { ids, wereCut };
    after = pageInfo.endCursor ?? null;
  }
}

const forms: Readonly<Record<string, string>> = {
  'by cursors of edges': 'edges { cursor node { id body } } pageInfo { hasNextPage endCursor }',
  'by nodes alone': 'nodes { id body } pageInfo { hasNextPage endCursor }',
  'by both': 'nodes { id body } edges { cursor } pageInfo { hasNextPage endCursor }',
};

test.each(Object.entries(forms))(
  'a model that goes on %s reads each row of random size once',
  async (_name, form) => {
    const [sizes] = fc.sample(fc.array(fc.nat(2_000), { minLength: 60, maxLength: 60 }), 1);
    const one = await rows.ticket(`T-${server.ids.next()}`, { id: ticket.customerId });
    for (const size of sizes ?? []) await rows.message(one, 'x'.repeat(size), false);
    const document = `query ($first: Int, $after: String, $number: String!) { ticketByNumber(number: $number) { messages(first: $first, after: $after) { ${form} } } }`;
    const { ids, wereCut } = await follow(async (first, after) => {
      const variables = { first, after, number: one.number };
      const { data, cut = [] } = await call<{
        ticketByNumber: {
          messages: Partial<Page> & { edges?: { node?: { id: string } }[] } & Pick<Page, 'pageInfo'>;
        };
      }>('query', { document, variables });
      const messages = data?.ticketByNumber.messages;
      if (messages === undefined) throw new Error('There is no page.');
      const nodes = messages.nodes ?? messages.edges?.flatMap(({ node }) => node ?? []) ?? [];
      if (form.includes('nodes') && messages.edges !== undefined)
        expect(messages.edges).toHaveLength(nodes.length);
      return [{ nodes, pageInfo: messages.pageInfo }, cut];
    });
    const all = await messagesOf(one);
    expect([...ids].sort()).toEqual(all.map(({ id }) => id).sort());
    expect(wereCut).toBeGreaterThan(0);
  },
  30_000,
);

const messagesOf = async ({ id }: TicketRow) =>
  (await rows.all(ticketMessages)).filter(({ ticketId }) => ticketId === id);

test('a model that goes on by what search_knowledge says reads each hit once', async () => {
  await server.database.transaction(async (tx) => {
    for (let at = 0; at < 60; at += 1) {
      const title = `Zeppelin ${String(at)} ${'y'.repeat(280)}`;
      const text = { body: `# Zeppelin\n\nA zeppelin ${'of the harbour '.repeat(at % 20)}.`, title };
      const of = { source: 'test', externalId: `z/${String(at)}.md`, collection: 'guides' };
      const made = { classification: 'public', at: '2026-06-01T00:00:00.000Z', by: 'test' } as const;
      await upsertImportedDocument(tx, { ...of, ...text, ...made }, server.ids);
    }
  });
  interface Hit {
    readonly document: { readonly id: string };
  }
  const { ids, wereCut } = await follow(async (first, after) => {
    const { data, cut = [] } = await call<{ search: { nodes: Hit[]; pageInfo: Page['pageInfo'] } }>(
      'search_knowledge',
      { words: 'zeppelin', first, after },
    );
    if (data === null) throw new Error('There is no page.');
    const { nodes, pageInfo } = data.search;
    return [{ nodes: nodes.map(({ document }) => document), pageInfo }, cut];
  });
  const found = (await rows.all(passages)).filter(({ heading }) => heading === 'Zeppelin');
  expect([...ids].sort()).toEqual(found.map(({ documentId }) => documentId).sort());
  expect(ids).toHaveLength(60);
  expect(wereCut).toBeGreaterThan(0);
});

test.each([
  ['whose list is cut', '{ nodes { body a: body b: body c: body d: body } }', 'cut'],
  [
    'that is too long',
    `{ nodes { ${Array.from({ length: 30 }, (_, at) => `b${String(at)}: body`).join(' ')} } }`,
    'none',
  ],
])('the answer to a change %s says that it was done, and not to ask again', async (_name, fields, kind) => {
  const one = await rows.ticket(`T-${server.ids.next()}`, { id: ticket.customerId });
  for (let at = 0; at < 20; at += 1) await rows.message(one, 'x'.repeat(900), false);
  const document = `mutation ($id: ID!, $key: String!) { replyToTicket(ticketId: $id, body: "Good day", idempotencyKey: $key) { ticket { id messages(first: 50) ${fields} } } }`;
  const { data, cut, errors } = await call<object>('mutate', {
    document,
    variables: { id: one.id, key: one.number },
  });
  expect(errors).toBeUndefined();
  expect(data === null).toBe(kind === 'none');
  expect(cut).toHaveLength(1);
  expect(cut?.[0]?.next).toMatch(/^It was done, so do not send it again: .*`query`\.$/);
  expect(await messagesOf(one)).toHaveLength(21);
});

test('too many long lists are told as such', async () => {
  const one = await rows.ticket(`T-${server.ids.next()}`, { id: ticket.customerId });
  for (let at = 0; at < 20; at += 1) await rows.message(one, 'x'.repeat(100), false);
  const lists = Array.from(
    { length: 24 },
    (_, at) => `q${String(at)}: messages(first: 20) { nodes { body } }`,
  );
  const { data, cut } = await call<object>('query', {
    document: `{ ticketByNumber(number: "${one.number}") { ${lists.join(' ')} } }`,
  });
  expect(data).toBeNull();
  expect(cut?.[0]?.next).toBe(
    'More than 20 lists would be cut. Ask for smaller pages, or for fewer lists at once.',
  );
});

test('an answer from a cache is cut for a tool alone: the next one is whole', async () => {
  const document =
    '{ __schema { types { name description fields { name description isDeprecated type { kind } } } } }';
  const before = await server.query(graphqlToken, document);
  const { cut } = await call<object>('query', { document });
  expect(cut?.[0]?.path).toBe('__schema.types');
  expect(await server.query(graphqlToken, document)).toMatchObject({ data: before.data, errors: [] });
  expect(JSON.stringify(before.data).length).toBeGreaterThan(24_000);
});
