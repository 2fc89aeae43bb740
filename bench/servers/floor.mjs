import { createServer } from 'node:http';
import { Reads } from './reads.mjs';
import { reply } from './reply.mjs';
import { iso, money, statements } from './statements.mjs';

const upper = (text) => text.toUpperCase();
const isoOrNull = (text) => (text === null ? null : iso(text));

const brief = ({ id, number, status, placedAt, totalMinor, currency }) => ({
  id,
  number,
  status: upper(status),
  placedAt: iso(placedAt),
  total: money(totalMinor, currency),
});

/** Each operation by hand: its statements, and the answer as GraphQL would shape it. */
const operations = {
  async Point({ id }, { reads }) {
    const { classification, updatedAt, ...row } = await reads.one(statements.document, id);
    return { document: { ...row, classification: upper(classification), updatedAt: iso(updatedAt) } };
  },
  async Ticket({ id }, { reads }) {
    const { customerId, ...row } = await reads.one(statements.ticket, id);
    const [customer, orders] = await Promise.all([
      reads.one(statements.customer, customerId),
      reads.ordersOf(customerId, { first: 5 }),
    ]);
    const ticket = {
      ...row,
      status: upper(row.status),
      priority: upper(row.priority),
      category: upper(row.category),
      createdAt: iso(row.createdAt),
    };
    const { number, name, region, country } = customer;
    const nodes = orders.nodes.map(brief);
    return {
      ticket: { ...ticket, customer: { id: customerId, number, name, region, country, orders: { nodes } } },
    };
  },
  async List100({ before }, { reads }) {
    const { nodes } = await reads.orders({ first: 100, filter: { placedBefore: before } });
    const ids = [...new Set(nodes.map((row) => row.customerId))];
    const customers = new Map((await reads.customersById(ids)).map((row) => [row.id, row]));
    return {
      orders: {
        nodes: nodes.map((row) => {
          const { id, name, region } = customers.get(row.customerId);
          const { shippedAt, version } = row;
          return { ...brief(row), shippedAt: isoOrNull(shippedAt), version, customer: { id, name, region } };
        }),
      },
    };
  },
  async List1000({ before }, { reads }) {
    const { nodes } = await reads.customersPage({ first: 1_000, filter: { createdBefore: before } });
    return {
      customers: {
        nodes: nodes.map(({ id, number, name, region, country, city, currency, createdAt, email, phone }) => {
          return {
            id,
            number,
            name,
            region,
            country,
            city,
            currency,
            createdAt: iso(createdAt),
            email,
            phone,
          };
        }),
      },
    };
  },
  async Search({ query }, { reads }) {
    const { nodes } = await reads.search({ query, first: 20 });
    return {
      search: {
        nodes: nodes.map(({ id, position, heading, text, documentId, title, version }) => ({
          passage: { id, position, heading, text },
          citation: { documentId, title, version },
        })),
      },
    };
  },
  async Reply({ ticketId, body, key }, { store }) {
    const { ticket, message } = await reply(store, { ticketId, body, idempotencyKey: key });
    return {
      replyToTicket: {
        ticket: { ...ticket, status: upper(ticket.status) },
        message: { ...message, author: upper(message.author), createdAt: iso(message.createdAt) },
      },
    };
  },
  async CreditOfOne({ id }, { reads }) {
    const { name, region, creditLimitMinor, currency } = await reads.one(statements.customer, id);
    return { customer: { id, name, region, creditLimit: money(creditLimitMinor, currency) } };
  },
  async CreditOfMany({ before }, { reads }) {
    const { nodes } = await reads.customersPage({ first: 100, filter: { createdBefore: before } });
    return {
      customers: {
        nodes: nodes.map(({ id, number, name, creditLimitMinor, currency }) => {
          return { id, number, name, creditLimit: money(creditLimitMinor, currency) };
        }),
      },
    };
  },
  async Refunds(_variables, { reads }) {
    const { nodes } = await reads.refunds({ first: 5 });
    return {
      refunds: {
        nodes: nodes.map(({ id, amountMinor, currency, reason, issuedAt }) => ({
          id,
          amount: money(amountMinor, currency),
          reason,
          issuedAt: iso(issuedAt),
        })),
      },
    };
  },
};

const bodyOf = (request) =>
  new Promise((resolve, reject) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => resolve(JSON.parse(text)));
    request.on('error', reject);
  });

/** The least that answers these requests: no GraphQL, no framework, no check of anything. */
export async function floor({ store, wordsOf }) {
  const server = createServer(async (request, response) => {
    const { operationName, variables } = await bodyOf(request);
    const data = await operations[operationName](variables, { store, reads: new Reads(store, wordsOf) });
    const text = JSON.stringify({ data });
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}
