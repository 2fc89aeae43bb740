// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { BadInput, long, someId, type Case } from '../support/bad-input.js';

let bad: BadInput;

beforeAll(async () => {
  bad = await BadInput.start();
});
beforeEach(() => bad.look());
afterAll(() => bad.server.stop());

const eur = (amount: string): string => `amount: { amount: "${amount}", currency: "EUR" }`;
const refund = (more: string): string =>
  `mutation { issueRefund(paymentId: "$payment", ${more}) { refund { id } } }`;
const adjust = (more: string): string =>
  `mutation { adjustStock(productId: "$product", ${more}) { product { id } } }`;
const setOrder = (more: string): string => `mutation { setOrderStatus(${more}) { order { id } } }`;
const reply = (more: string): string => `mutation { replyToTicket(${more}) { ticket { id } } }`;
const delegate = (more: string): string =>
  `mutation { delegate(input: { task: "x", ${more} }) { delegation { id } } }`;

const table: readonly Case[] = [
  ['an id that is of no row', reply(`ticketId: "${someId}", body: "x"`), 'NOT_FOUND'],
  ['an id that could be of none', setOrder('orderId: "💥", status: PACKED, expectedVersion: 1'), 'NOT_FOUND'],
  ['an old version', setOrder('orderId: "$order", status: PACKED, expectedVersion: 7'), 'CONFLICT'],
  [
    'a state that does not allow it',
    setOrder('orderId: "$order", status: DELIVERED, expectedVersion: 1'),
    'CONFLICT',
  ],
  ['an answer on a closed ticket', reply('ticketId: "$closed", body: "x"'), 'CONFLICT'],
  ['an empty text', reply('ticketId: "$ticket", body: " \\n "'), 'BAD_USER_INPUT', 'body'],
  [
    'a text that is too long',
    reply(`ticketId: "$ticket", body: "${long(20_001)}"`),
    'BAD_USER_INPUT',
    'body',
  ],
  [
    'a text with control characters',
    reply('ticketId: "$ticket", body: "a\\u0007"'),
    'BAD_USER_INPUT',
    'body',
  ],
  ['nothing to do', adjust('quantity: 0, reason: "x"'), 'BAD_USER_INPUT', 'quantity'],
  ['more than there is', adjust('quantity: -11, reason: "x"'), 'CONFLICT'],
  ['more than a number holds', adjust('quantity: 2147483647, reason: "x"'), 'BAD_USER_INPUT', 'quantity'],
  ['two lines for one', adjust('quantity: 1, reason: "a\\nb"'), 'BAD_USER_INPUT', 'reason'],
  ['a reason that is too long', adjust(`quantity: 1, reason: "${long(501)}"`), 'BAD_USER_INPUT', 'reason'],
  ['a negative amount', refund(`${eur('-1.00')}, reason: "x"`), 'BAD_USER_INPUT', 'amount.amount'],
  ['no amount', refund(`${eur('0.00')}, reason: "x"`), 'BAD_USER_INPUT', 'amount.amount'],
  [
    'more places than the currency has',
    refund(`${eur('1.001')}, reason: "x"`),
    'BAD_USER_INPUT',
    'amount.amount',
  ],
  [
    'an amount beyond all',
    refund(`${eur('999999999999999')}, reason: "x"`),
    'BAD_USER_INPUT',
    'amount.amount',
  ],
  [
    'another currency',
    refund('amount: { amount: "1", currency: "USD" }, reason: "x"'),
    'BAD_USER_INPUT',
    'amount.currency',
  ],
  [
    'a currency that is none',
    refund('amount: { amount: "1", currency: "Euro" }, reason: "x"'),
    'BAD_USER_INPUT',
    'amount.currency',
  ],
  ['more than was paid', refund(`${eur('50.01')}, reason: "x"`), 'CONFLICT'],
  [
    'a payment of tomorrow',
    `mutation { recordPayment(invoiceId: "$invoice", ${eur('1.00')}, method: CASH, receivedAt: "2999-01-01T00:00:00Z") { payment { id } } }`,
    'BAD_USER_INPUT',
    'receivedAt',
  ],
  [
    'a bill that was due long ago',
    'mutation { issueInvoice(orderId: "$order", dueAt: "2001-01-01T00:00:00Z") { invoice { id } } }',
    'BAD_USER_INPUT',
    'dueAt',
  ],
  [
    'a title that is too long',
    `mutation { updateDocument(id: "$document", title: "${long(301)}", expectedVersion: 1) { document { id } } }`,
    'BAD_USER_INPUT',
    'title',
  ],
  [
    'a change of nothing',
    'mutation { updateDocument(id: "$document", expectedVersion: 1) { document { id } } }',
    'BAD_USER_INPUT',
  ],
  [
    'a name with spaces',
    'mutation { createUser(input: { name: "A B", displayName: "x" }) { user { id } } }',
    'BAD_USER_INPUT',
  ],
  ['a task for no agent', delegate('agent: "nobody", purpose: "x", scopes: ["customers:read"]'), 'NOT_FOUND'],
  [
    'a task without a purpose',
    delegate('agent: "$agent", purpose: " ", scopes: ["customers:read"]'),
    'BAD_USER_INPUT',
  ],
  [
    'a task with a scope that is none',
    delegate('agent: "$agent", purpose: "x", scopes: ["customers:eat"]'),
    'FORBIDDEN',
  ],
  [
    'a task with negative limits',
    delegate('agent: "$agent", purpose: "x", scopes: ["customers:read"], rows: -1'),
    'BAD_USER_INPUT',
  ],
  [
    'a first change with a second that fails',
    `mutation { adjustStock(productId: "$product", quantity: 1, reason: "x") { product { id } }
       other: adjustStock(productId: "${someId}", quantity: 1, reason: "x", idempotencyKey: "two") { product { id } } }`,
    'NOT_FOUND',
  ],
];

for (const [what, document, code, path] of table) {
  test(`${what} is refused, and nothing is changed`, () => bad.refused(document, code, path));
}

test('the key of another input is refused, and one that is too long', async () => {
  const add = (quantity: number, key = 'twice'): string =>
    `mutation X { adjustStock(productId: "$product", quantity: ${String(quantity)}, reason: "x", idempotencyKey: "${key}") { product { stock } } }`;
  const first = await bad.ask(add(1));
  const again = await bad.ask(add(1));
  expect([first.errors, again.data]).toEqual([[], first.data]);
  await bad.look();
  await bad.refused(add(2), 'CONFLICT');
  await bad.refused(add(1, long(101)), 'BAD_USER_INPUT', 'idempotencyKey');
});
