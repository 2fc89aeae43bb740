import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  introspectionTypes,
  isEnumType,
  isObjectType,
  specifiedDirectives,
  type GraphQLSchema,
  type IntrospectionQuery,
} from 'graphql';
import { expect } from 'vitest';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import type { AppParts } from '../../src/app.js';
import { errorCodes } from '../../src/core/errors.js';
import { readSdl } from '../../src/graphql/schema/sdl.js';
import { BusinessRows } from './business.js';
import { coordinatesOf } from './coordinates.js';
import { insides } from './faults.js';
import { everywhere, TestServer, type AgentFixture, type Answer, type PersonFixture } from './server.js';

/** Stands in every row that the attacker may not see. */
export const canary = 'Canary';

/** A response of the server, byte for byte. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A support agent with a task in Europe, its attacks, and everything that it must never learn. */
export class Target {
  private constructor(
    readonly server: TestServer,
    /** The attacker: a support agent as it ships, in Europe, whose task does not include contact data. */
    readonly agent: AgentFixture,
    /** Another caller, who only works. */
    readonly honest: PersonFixture,
    /** The attacker's view, as its own introspection shows it. */
    readonly view: GraphQLSchema,
    /** Names of the schema outside the attacker's view. */
    readonly hidden: ReadonlySet<string>,
    readonly ids: { readonly customer: string; readonly unseen: string; readonly ticket: string },
  ) {}

  static async start(parts: AppParts = {}): Promise<Target> {
    const server = await TestServer.start(parts);
    const rows = new BusinessRows(server);
    const seen = await rows.customer('C-1', 'europe');
    await rows.order('O-1', seen);
    const ticket = await rows.ticket('T-1', seen);
    const named = {
      name: `${canary} Ltd`,
      contactName: canary,
      address: canary,
      email: 'canary@example.com',
    };
    const unseen = await rows.customer(`C-${canary}`, 'asia', named);
    await rows.order(`O-${canary}`, unseen);
    await rows.ticket(`T-${canary}`, unseen, { subject: canary });
    const scopes = shippedRoles.find((role) => role.name === 'support-agent')?.scopes ?? [];
    const person = await server.person({ scopes: [...scopes, 'refunds:issue'] });
    const boundary = { ...everywhere, region: ['europe'] };
    const task = scopes.filter((scope) => scope !== 'customers:read_contact');
    const agent = await server.agent(
      person,
      { scopes, boundary },
      { scopes: task, boundary, operationsMax: 1_000_000 },
    );
    const { data } = await server.query(agent.token, getIntrospectionQuery({ inputValueDeprecation: true }));
    const view = buildClientSchema(data as IntrospectionQuery);
    const known = new Set([...namesOf(view), ...everywhereKnown]);
    const hidden = new Set([...namesOf(buildSchema(readSdl()))].filter((name) => !known.has(name)));
    expect(hidden.size).toBeGreaterThan(200);
    const ids = { customer: seen.id, unseen: unseen.id, ticket: ticket.id };
    return new Target(server, agent, await server.person({ scopes }), view, hidden, ids);
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  ask(query: string, variables: Record<string, unknown> = {}): Promise<Answer> {
    return this.server.query(this.agent.token, query, variables);
  }

  /** One request with the attacker's token; `fetch` might refuse to send it. */
  send({ method = 'POST', path = '/graphql', headers = {}, body }: Sent): Promise<Reply> {
    const authorization = `Bearer ${this.agent.token}`;
    const all = { 'content-type': 'application/json', authorization, ...headers };
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(`${this.server.url}${path}`, { method, headers: all }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject).once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }

  /**
   * Expects the answer to name the attack's fault: a known code, no failure of the server, no rows out of bounds, no
   * hidden names except the attacker's own, and no internal details.
   */
  expectNothingLearned(reply: Reply, sent: string): void {
    const about = `${String(reply.status)} ${reply.text.slice(0, 2_000)}\nfor ${JSON.stringify(sent).slice(0, 4_000)}`;
    expect(reply.status, about).toBeGreaterThanOrEqual(200);
    expect(reply.status, about).toBeLessThan(500);
    expect(this.learned(reply.text, sent), about).toEqual([]);
  }

  /** Contents of an answer that its reader did not know. */
  learned(text: string, sent: string): string[] {
    const found: string[] = [];
    if (text.includes(canary) && !sent.includes(canary)) found.push(canary);
    for (const said of toldIn(text)) {
      const inside = insides.exec(said)?.[0];
      if (inside !== undefined && !sent.includes(inside)) found.push(inside);
      // A single common word may be part of a sentence; quoted, or made of several words, it is a name.
      const names = [...said.matchAll(/["'`][\w:]+["'`]|\b[a-zA-Z]+[A-Z]\w*\b/g)];
      for (const [whole] of names) {
        const name = whole.replaceAll(/["'`]/g, '');
        if (this.hidden.has(name) && !sent.includes(name)) found.push(name);
      }
    }
    return found;
  }

  /** Runs an attack while the honest client works; every one of its requests must succeed. */
  async whileHonest<T>(attack: Promise<T>): Promise<T> {
    const under = { way: true };
    const result = attack.finally(() => {
      under.way = false;
    });
    result.catch(() => undefined);
    for (let served = 0; served === 0 || under.way; served += 1) {
      const answer = await this.server.query(this.honest.token, '{ customers { totalCount } }');
      expect([answer.status, answer.errors]).toEqual([200, []]);
      expect(answer.data.customers.totalCount).toBe(2);
    }
    return result;
  }
}

/** Names that every schema has: those of introspection and of GraphQL's own directives. */
const everywhereKnown = new Set([
  ...introspectionTypes.flatMap((type) => [
    type.name,
    ...(isObjectType(type) ? Object.keys(type.getFields()) : []),
    ...(isEnumType(type) ? type.getValues().map(({ name }) => name) : []),
  ]),
  ...specifiedDirectives.flatMap(({ name, args }) => [name, ...args.map((arg) => arg.name)]),
]);

/** Every name of a schema that is its own. */
export const namesOf = (schema: GraphQLSchema): Set<string> =>
  new Set(coordinatesOf(schema).flatMap(({ type, member, argument = member }) => [type, member, argument]));

const known = new Set<unknown>(errorCodes);

/** Texts of a response's errors; the whole text where the response has another form. */
function toldIn(text: string): string[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return [text];
  }
  const { errors } = body as { errors?: { message: string; extensions: Record<string, unknown> }[] };
  if (errors === undefined) return 'data' in (body as object) ? [] : [text];
  const improper = errors.filter(
    ({ extensions: { code, ...more } }) =>
      !known.has(code) || code === 'INTERNAL' || 'stacktrace' in more || 'exception' in more,
  );
  expect(improper, text).toEqual([]);
  return errors.flatMap(({ message, extensions }) => {
    // The other extensions have fixed words.
    const { hint, missingScopes } = extensions;
    return [message, JSON.stringify({ hint, missingScopes })];
  });
}

/** Does the work for each item, `atOnce` at a time. */
export async function withEach<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items.values();
  const lane = async (): Promise<void> => {
    for (const item of iterator) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
