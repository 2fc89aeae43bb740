import { expect } from 'vitest';
import { customers, invoices, payments } from '../../src/domains/business/tables.js';
import { documents } from '../../src/domains/knowledge/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import type { Table } from '../../src/store/tables/table.js';
import { catalog } from './administration.js';
import { BusinessRows } from './business.js';
import { loadDocuments } from './demo-rows.js';
import { codesOf, digestOf, recordedCodes } from './faults.js';
import { addRegions } from './regions.js';
import { TestServer, type Answer } from './server.js';

/** The fault, a document with `$name` for known ids, the code, and the reported path. */
export type Case = readonly [what: string, document: string, code: string, path?: string];

export const long = (length: number): string => 'x'.repeat(length);
/** A well-formed id without a row. */
export const someId = '01ARZ3NDEKTSV4RRFFQ69G5FAV';

/** A server with some rows, and a person who may do everything: a refusal can only be for the input. */
export class BadInput {
  private before = '';

  private constructor(
    readonly server: TestServer,
    private readonly token: string,
    private readonly known: Readonly<Record<string, string>>,
  ) {}

  static async start(): Promise<BadInput> {
    const server = await TestServer.start();
    await addRegions(server);
    await loadDocuments(server.database, server.ids);
    const person = await server.person({ scopes: [...catalog.definitions.keys()] });
    const agent = await server.agent(person, { scopes: ['customers:read', 'orders:read'] });
    const rows = new BusinessRows(server);
    const invoice = await server.database.read.one(invoices, eq('number', 'I-asia'));
    if (invoice === undefined) throw new Error('no invoice');
    const customer = { id: invoice.customerId };
    const first = async <R extends { id: string }>(table: Table<R>): Promise<string> =>
      (await server.database.read.select(table, { kind: 'all', of: [] }))[0]?.id ?? '';
    const known = {
      agent: agent.name,
      invoice: invoice.id,
      order: invoice.orderId,
      payment: (await rows.payment(invoice)).id,
      product: (await rows.product('P-1')).id,
      closed: (await rows.ticket('T-closed', customer, { status: 'closed' })).id,
      ticket: (await rows.ticket('T-open', customer)).id,
      customer: await first(customers),
      document: await first(documents),
    };
    expect(await server.database.read.count(payments)).toBe(1);
    return new BadInput(server, person.token, known);
  }

  /** Remembers the state of all tables. */
  async look(): Promise<void> {
    this.before = await digestOf(this.server.database);
  }

  ask(document: string, variables = {}): Promise<Answer> {
    const filled = document.replace(/\$([a-z]+)\b(?!:)/g, (text, name: string) => this.known[name] ?? text);
    const withKey = filled.replace(/^mutation \{ (\w+)\(/, 'mutation { $1(idempotencyKey: "key", ');
    return this.server.query(this.token, withKey, variables);
  }

  /** Expects a refusal with this code alone, in the answer and in the record, and no change. */
  async refused(document: string, code: string, path?: string, variables = {}): Promise<void> {
    const answer = await this.ask(document, variables);
    expect(codesOf(answer), JSON.stringify(answer.errors)).toEqual([code]);
    expect(answer.status).toBe(answer.data === undefined ? 400 : 200);
    const told = answer.errors.map((error) => error.extensions.path);
    if (path !== undefined) expect(told).toEqual([path]);
    expect(await recordedCodes(this.server, answer)).toEqual([code]);
    expect(await digestOf(this.server.database)).toBe(this.before);
  }
}
