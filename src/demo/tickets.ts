import type { RefundRow, TicketMessageRow, TicketRow } from '../domains/business/tables.js';
import { isoTime } from '../core/clock.js';
import type { Invoice } from './invoices.js';
import { draftTickets, type TicketDraft } from './draft-tickets.js';
import { demoCustomer, demoMessage, demoSubject, demoTicketAgeMs, demoTicketNumber } from './demo-case.js';
import type { Order } from './orders.js';
import type { Restock } from './stock.js';
import { byMoment, type Scenario } from './scenario.js';
import type { Message } from './ticket-messages.js';
import { fill, spokenDate, spokenMoney } from './fill-template.js';

export interface Helpdesk {
  readonly tickets: TicketRow[];
  readonly messages: TicketMessageRow[];
  readonly refunds: RefundRow[];
  readonly restocks: Restock[];
}

const ticketCount = 300;
const lastNumber = Number(demoTicketNumber.slice(2));

/** Follows from the last message that the customer saw. */
function status(messages: readonly Message[], isComplete: boolean): TicketRow['status'] {
  const last = messages.at(-1);
  if (isComplete && last !== undefined) return last.moment > -10 ? 'resolved' : 'closed';
  return messages.findLast((message) => message.author !== 'note')?.author === 'customer'
    ? 'open'
    : 'pending';
}

function makeTicket(scenario: Scenario, draft: TicketDraft, number: string): TicketRow {
  const { messages, start } = draft;
  return {
    id: scenario.id(start),
    number,
    customerId: draft.customer.row.id,
    orderId: draft.order?.row.id ?? null,
    subject: draft.subject,
    category: draft.category,
    status: status(messages, draft.isComplete),
    priority: draft.priority,
    createdAt: scenario.iso(start),
    updatedAt: scenario.iso(messages.at(-1)?.moment ?? start),
    version: messages.length,
  };
}

const makeMessage = (scenario: Scenario, ticket: TicketRow, message: Message): TicketMessageRow => ({
  id: scenario.id(message.moment),
  ticketId: ticket.id,
  customerId: ticket.customerId,
  author: message.author === 'note' ? 'staff' : message.author,
  authorName: message.authorName,
  internal: message.author === 'note',
  body: message.body,
  createdAt: scenario.iso(message.moment),
});

const makeRefund = (
  scenario: Scenario,
  refund: NonNullable<TicketDraft['refund']>,
  ticketNumber: string,
): RefundRow => ({
  id: scenario.id(refund.moment),
  paymentId: refund.payment.row.id,
  customerId: refund.payment.row.customerId,
  amountMinor: refund.amountMinor,
  currency: 'EUR',
  reason: `${refund.reason}: ${String(refund.quantity)} × ${refund.product.row.name} (${ticketNumber})`,
  issuedAt: scenario.iso(refund.moment),
});

function makeDemoTicket(
  scenario: Scenario,
  invoices: readonly Invoice[],
): Pick<Helpdesk, 'tickets' | 'messages'> {
  const invoice = invoices.findLast((each) => each.order.customer.row.name === demoCustomer.facts.name);
  const { order, payments } = invoice ?? {};
  const received = payments?.at(-1)?.received;
  if (!invoice || !order || received === undefined || order.delivered === null) {
    throw new Error('The demo customer has no order that is delivered and paid.');
  }
  const createdMs = scenario.now - demoTicketAgeMs;
  const createdAt = isoTime(createdMs);
  const ticket: TicketRow = {
    id: scenario.ids.at(createdMs),
    number: demoTicketNumber,
    customerId: order.row.customerId,
    orderId: order.row.id,
    subject: demoSubject,
    category: 'billing',
    status: 'open',
    priority: 'urgent',
    createdAt,
    updatedAt: createdAt,
    version: 1,
  };
  const body = fill(demoMessage, {
    order: order.row.number,
    city: order.customer.row.city ?? order.customer.row.country,
    delivered: spokenDate(scenario.ms(order.delivered)),
    invoice: invoice.row.number,
    amount: spokenMoney(invoice.row.amountMinor),
    paid: spokenDate(scenario.ms(received)),
  });
  const message: TicketMessageRow = {
    id: scenario.ids.at(createdMs),
    ticketId: ticket.id,
    customerId: ticket.customerId,
    author: 'customer',
    authorName: order.customer.row.contactName ?? order.customer.row.name,
    internal: false,
    body,
    createdAt,
  };
  return { tickets: [ticket], messages: [message] };
}

export function makeHelpdesk(
  scenario: Scenario,
  orders: readonly Order[],
  invoices: readonly Invoice[],
): Helpdesk {
  const drafts = draftTickets(scenario, ticketCount - 1, orders, invoices).sort(
    byMoment((draft) => draft.start),
  );
  const ticketsOfDrafts = drafts.map((draft, index) => {
    const number = `T-${String(lastNumber - drafts.length + index)}`;
    return { draft, ticket: makeTicket(scenario, draft, number) };
  });
  const demo = makeDemoTicket(scenario, invoices);
  const refunded = ticketsOfDrafts.flatMap(({ draft: { refund }, ticket }) =>
    refund ? [{ refund, ticket }] : [],
  );
  return {
    tickets: [...ticketsOfDrafts.map(({ ticket }) => ticket), ...demo.tickets],
    messages: [
      ...ticketsOfDrafts.flatMap(({ draft, ticket }) =>
        draft.messages.map((message) => makeMessage(scenario, ticket, message)),
      ),
      ...demo.messages,
    ],
    refunds: refunded
      .sort(byMoment(({ refund }) => refund.moment))
      .map(({ refund, ticket }) => makeRefund(scenario, refund, ticket.number)),
    restocks: refunded.flatMap(({ refund: { returned, product, quantity, moment }, ticket }) =>
      returned ? [{ product, quantity, moment: moment - 0.01, ticketNumber: ticket.number }] : [],
    ),
  };
}
