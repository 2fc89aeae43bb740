// databases: sqlite, mariadb
import {
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLObjectType,
} from 'graphql';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ticketMessages } from '../../src/domains/business/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import { Target, withEach, type Reply } from '../support/attacks.js';
import { literalOf, operationAt } from '../support/documents.js';
import { digestOf } from '../support/faults.js';
import { recordOf } from '../support/records.js';

let target: Target;
const logged: string[] = [];
beforeAll(async () => {
  const logger = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  target = await Target.start({ logger });
});
afterAll(() => target.stop());

/** What has ended quotes, patterns, lines, pages, templates and shells elsewhere. */
const payloads: readonly (readonly [what: string, text: string])[] = [
  ['SQL', `' OR '1'='1`],
  ['SQL with a comment', `x'); DROP TABLE behalf_customers; --`],
  ['SQL with an escape of one database', `\\' OR 1=1 #`],
  ['SQL after a double quote', `" UNION SELECT token FROM behalf_oauth_payloads --`],
  ['a parameter', ':boundary_0 ? $1 @p1'],
  ['LIKE: everything', '%'],
  ['LIKE: one character', '_'],
  ['LIKE: its escape', '\\%'],
  ['full text', '* "a" NEAR/2 (b) -c ^d NOT e OR f:*'],
  ['HTML', '<script>alert(1)</script><img src=x onerror=alert(1)>'],
  ['lines of a log', 'x\r\n{"level":60,"forged":true,"msg":"all is well"}\n'],
  ['a terminal', '\u001b[2J\u001b]0;x\u0007'],
  ['a template', '{{7*7}}${7*7}#{7*7}%{7*7}'],
  ['a lookup', '${jndi:ldap://127.0.0.1/x}'],
  ['a shell', '; cat /etc/passwd | `id` $(id)'],
  ['a path', '../../../../etc/passwd\u0000.md'],
  ['a URL', 'http://169.254.169.254/latest/meta-data/'],
  ['NUL', 'a\u0000b'],
  ['half a character', 'a\ud800b'],
  ['another half', '\udfff'],
  ['text from right to left', '\u202egnp.exe'],
  ['a prototype', '__proto__'],
  ['a long text', 'x'.repeat(20_000)],
];

interface Place {
  readonly coordinate: string;
  readonly document: string;
}

const isText = (type: GraphQLInputType): boolean =>
  ['String', 'ID', 'DateTime', 'Decimal'].includes(getNamedType(type).name);
const given = (type: GraphQLInputType): string => (isListType(getNullableType(type)) ? '[$p]' : '$p');

/** Ways to write a value that holds the payload somewhere: where that is, the value, and the variable's type. */
function valuesWith(type: GraphQLInputType, at: string): (readonly [string, string, string])[] {
  const named = getNamedType(type);
  if (isText(type)) return [[at, given(type), named.name]];
  if (!isInputObjectType(named)) return [];
  const fields = Object.values(named.getFields());
  return fields.flatMap((field) =>
    valuesWith(field.type, `${at}.${field.name}`).map(([where, text, leaf]) => {
      const others = fields.filter((other) => other !== field && isRequired(other));
      const rest = others.map((other) => `${other.name}: ${literalOf(other.type)}`);
      return [where, `{ ${[`${field.name}: ${text}`, ...rest].join(', ')} }`, leaf] as const;
    }),
  );
}

const isRequired = (one: GraphQLArgument | GraphQLInputField): boolean => isNonNullType(one.type);

/** Every place of the caller's schema that takes text, each in an operation that leads there. */
const places = (): Place[] =>
  Object.values(target.view.getTypeMap()).flatMap((type) =>
    isObjectType(type) && !type.name.startsWith('__')
      ? Object.values(type.getFields()).flatMap((field) => placesOf(type, field))
      : [],
  );

function placesOf(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): Place[] {
  return field.args.flatMap((arg) => {
    const others = field.args.filter((other) => other !== arg && isRequired(other));
    // What takes a key and nothing else would be done, and there is nothing more to put text into.
    if (arg.name === 'idempotencyKey' && others.length === 0) return [];
    return valuesWith(arg.type, `${type.name}.${field.name}(${arg.name}:)`).map(
      ([coordinate, text, leaf]) => {
        // An empty key is refused by every mutation once it is authorized, so that none of these is done.
        const rest = others.map(
          (other) => `${other.name}: ${other.name === 'idempotencyKey' ? '""' : literalOf(other.type)}`,
        );
        const selection = isObjectType(getNamedType(field.type)) ? '{ __typename }' : '';
        const call = `${field.name}(${[`${arg.name}: ${text}`, ...rest].join(', ')}) ${selection}`;
        const operation = operationAt(target.view, type.name, call);
        const variable = `($p: ${leaf}!)`;
        const document = operation.startsWith('mutation')
          ? operation.replace('mutation', `mutation ${variable}`)
          : `query ${variable} ${operation}`;
        return { coordinate, document };
      },
    );
  });
}

const send = (document: string, p: string, more: object = {}): Promise<Reply> =>
  target.send({ body: JSON.stringify({ query: document, variables: { p }, ...more }) });

describe('text in every place that takes some', () => {
  test.each(payloads)('%s is data: nothing is done, nothing is told, nothing fails', async (_what, text) => {
    const all = places();
    expect(all.length).toBeGreaterThan(40);
    const before = await digestOf(target.server.database);
    await withEach(all, 8, async ({ document }) => {
      target.expectNothingLearned(await send(document, text), `${document} ${text}`);
    });
    expect(await digestOf(target.server.database)).toBe(before);
  });

  test('and finds no more than any other text would', async () => {
    // Of lists with a filter, how many rows there are; with another text than one that is there, none.
    const filtered = places().flatMap(({ coordinate, document }) => {
      const [, field] = /^Query\.(\w+)\(filter:\)/.exec(coordinate) ?? [];
      const counting = document.replace('{ __typename }', '{ totalCount }');
      return field === undefined ? [] : [{ coordinate, field, document: counting }];
    });
    expect(filtered.length).toBeGreaterThan(10);
    for (const { coordinate, field, document } of filtered) {
      for (const [, text] of payloads) {
        const answer = JSON.parse((await send(document, text)).text) as {
          data?: Readonly<Record<string, { readonly totalCount: number } | null>> | null;
        };
        expect([coordinate, text, answer.data?.[field]?.totalCount ?? 0]).toEqual([coordinate, text, 0]);
      }
    }
  });
});

describe('text that is kept', () => {
  // Control characters are refused, and so are texts longer than a message.
  const kept = payloads.filter(
    ([, text]) => text.isWellFormed() && !/\p{Cc}/u.test(text) && text.length < 5_000,
  );

  test.each(kept)('%s is kept and given back to the letter, as JSON', async (what, text) => {
    const reply = await target.send({
      body: JSON.stringify({
        query: `mutation ($p: String!, $k: String!, $t: ID!) {
          replyToTicket(ticketId: $t, body: $p, idempotencyKey: $k) { ticket { messages(first: 100) { nodes { body } } } } }`,
        variables: { p: text, k: `keep ${what}`, t: target.ids.ticket },
      }),
    });
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
    const { data, errors } = JSON.parse(reply.text) as {
      data: { replyToTicket: { ticket: { messages: { nodes: { body: string }[] } } } };
      errors?: unknown;
    };
    expect(errors).toBeUndefined();
    expect(data.replyToTicket.ticket.messages.nodes.map(({ body }) => body)).toContain(text);
    const rows = await target.server.database.read.select(ticketMessages, eq('ticketId', target.ids.ticket));
    expect(rows.map(({ body }) => body)).toContain(text);
  });
});

describe('names that the caller makes up', () => {
  test.each(payloads)('%s as the name of an operation is refused and forges nothing', async (_what, text) => {
    const before = logged.length;
    const body = JSON.stringify({ query: 'query A { __typename }', operationName: text });
    const reply = await target.send({
      body,
      headers: { 'user-agent': encodeURIComponent(text.toWellFormed()).slice(0, 2_000) },
    });
    expect(reply.status).toBe(400);
    target.expectNothingLearned(reply, body);
    const headers = new Headers({ 'behalf-operation-id': String(reply.headers['behalf-operation-id']) });
    const record = await recordOf(target.server.database, { headers });
    expect(record).toMatchObject({ outcome: 'failed', changes: [] });
    for (const line of logged.slice(before)) expect(JSON.parse(line)).not.toHaveProperty('forged');
  });

  test('every line of the log is one entry', () => {
    for (const line of logged) {
      expect(line.endsWith('\n') && line.indexOf('\n') === line.length - 1, line).toBe(true);
      expect(JSON.parse(line)).not.toHaveProperty('forged');
    }
  });
});
