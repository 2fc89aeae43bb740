import { randomUUID } from 'node:crypto';
import { demoTicketNumber } from '../../../src/demo/generate-business.js';
import { minorOf, moneyOf, type Money } from '../../../src/core/money.js';
import { answerTicket, readCase, readMessages, searchKnowledge } from '../documents.js';
import type { Answer } from '../graphql.js';
import type { Caller, Step } from '../step.js';
import type { Handed } from './handing-over.js';

/** The facts that the agent found, and its reply. */
export interface Case {
  /** The number of the invoice in the customer's message. */
  readonly invoice: string;
  /** The number of messages before the reply. */
  readonly messageCount: number;
  readonly reply: string;
}

const question = 'refund window for items damaged in transit';

export async function lookUp(step: Step, agent: Caller, handed: Handed): Promise<Case> {
  step.asks(
    `query search: “${question}”;`,
    `query ticketByNumber(number: "${demoTicketNumber}") with messages, customer and orders.`,
  );
  step.why('All of it lies inside the task: what everyone in the company may read, and one customer’s data.');
  const found = await step.ask(agent, searchKnowledge, { query: question });
  const source = found.textAt('search.nodes.0.citation.title');
  const kinds = new Set(
    found.listAt('search.nodes').map((hit) => (hit.document as { classification: string }).classification),
  );
  step.expect(
    'no hit is confidential or restricted',
    [...kinds].filter((kind) => kind !== 'PUBLIC' && kind !== 'INTERNAL'),
    [],
  );
  const read = await step.ask(agent, readCase, { number: demoTicketNumber });
  step.isAbout(read);
  step.expect('it reads the ticket', read.at('ticketByNumber.id'), handed.id);
  step.expect('it reads the customer', read.at('ticketByNumber.customer.id'), handed.customer.id);
  step.expect(
    'it reads all orders of the customer',
    read.at('ticketByNumber.customer.orders.totalCount'),
    handed.orderCount,
  );
  step.expect('nothing was refused', [...found.errors, ...read.errors], []);
  step.gets(
    `The best of ${String(found.listAt('search.nodes').length)} passages is from “${source}”.`,
    `The ticket: “${read.textAt('ticketByNumber.subject')}”`,
    `${handed.customer.name} has ${String(handed.orderCount)} orders; this is about ${read.textAt('ticketByNumber.order.number')}.`,
  );
  const messageCount = Number(read.at('ticketByNumber.messages.totalCount'));
  return { invoice: invoiceIn(read), messageCount, reply: replyTo(read, source) };
}

function invoiceIn(read: Answer): string {
  const [number] = /INV-\d+/.exec(read.textAt('ticketByNumber.messages.nodes.0.body')) ?? [];
  if (number === undefined) throw new Error('the customer’s message names no invoice');
  return number;
}

/** Stands for a language model: the words are fixed, the facts come from the answer. */
function replyTo(read: Answer, source: string): string {
  const lines = read.listAt('ticketByNumber.order.lines.nodes') as unknown as OrderLine[];
  const grinders = lines.find(
    ({ product }) => product.name.includes('grinder') || product.sku.startsWith('GRI'),
  );
  if (grinders === undefined) throw new Error('the order has no grinder');
  const { currency } = grinders.total;
  const each = moneyOf(Math.floor(minorOf(grinders.total, 'total') / grinders.quantity), currency);
  return [
    `Dear ${read.textAt('ticketByNumber.customer.contactName')},`,
    `I am sorry about the broken ${grinders.product.name}. Transit damage can be told within 14 days of delivery (“${source}”).`,
    `I propose to refund ${currency} ${each.amount} for one of the ${String(grinders.quantity)}. Please send photographs of the grinder and of its packaging; our finance team issues the refund.`,
  ].join('\n\n');
}

interface OrderLine {
  readonly quantity: number;
  readonly total: Money;
  readonly product: { readonly sku: string; readonly name: string };
}

export async function reply(
  step: Step,
  agent: Caller,
  handed: Handed,
  { reply: body, messageCount }: Case,
): Promise<void> {
  step.asks('mutation replyToTicket, and once more with the same idempotencyKey, as after a lost answer.');
  step.why('The same key and input give the first answer again, so an agent may try again without harm.');
  const input = { ticketId: handed.id, body, key: randomUUID() };
  const first = await step.ask(agent, answerTicket, input);
  const second = await step.ask(agent, answerTicket, input);
  const messages = await step.ask(agent, readMessages, { number: demoTicketNumber });
  step.isAbout(first);
  step.expect('the reply is on the ticket', first.at('replyToTicket.message.body'), body);
  step.expect('it was written by an agent', first.at('replyToTicket.message.author'), 'AGENT');
  step.expect('the second answer equals the first', second.text, first.text);
  step.expect(
    'there is one message more',
    messages.at('ticketByNumber.messages.totalCount'),
    messageCount + 1,
  );
  const [, facts = ''] = body.split('\n\n').slice(1);
  step.gets(
    `Signed ${first.textAt('replyToTicket.message.authorName')}: “${facts}”`,
    'The same answer twice, and one message on the ticket.',
  );
}
