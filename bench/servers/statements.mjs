import { tableNames } from '../database/table-names.mjs';
import { ownDist } from '../paths.mjs';

const named = await tableNames(process.env.BENCH_DIST ?? ownDist);
/** The database's names of the tables that peers read and write. */
export const tables = Object.fromEntries(
  [
    'customers',
    'documents',
    'idempotency_keys',
    'orders',
    'passages',
    'refunds',
    'ticket_messages',
    'tickets',
  ].map((name) => [name, named(name)]),
);

const customer =
  'id, number, name, region, country, city, currency, created_at AS createdAt, email, phone, credit_limit_minor AS creditLimitMinor';
const order =
  'id, number, customer_id AS customerId, status, placed_at AS placedAt, shipped_at AS shippedAt, version, currency, total_minor AS totalMinor';

/** One placeholder for each value of a list. */
const places = (count) => Array.from({ length: count }, () => '?').join(', ');

/** The statements of all peers, the floor included. A list of ids is padded, so that few statements are prepared. */
export const statements = {
  document: `SELECT id, title, classification, version, updated_at AS updatedAt, body FROM ${tables.documents} WHERE id = ?`,
  ticket: `SELECT id, number, subject, category, status, priority, created_at AS createdAt, customer_id AS customerId FROM ${tables.tickets} WHERE id = ?`,
  customer: `SELECT ${customer} FROM ${tables.customers} WHERE id = ?`,
  customersById: (count) =>
    `SELECT id, number, name, region, country, currency, credit_limit_minor AS creditLimitMinor FROM ${tables.customers} WHERE id IN (${places(count)})`,
  ordersOf: `SELECT ${order} FROM ${tables.orders} WHERE customer_id = ? ORDER BY placed_at DESC, id DESC LIMIT ?`,
  orders: `SELECT ${order} FROM ${tables.orders} WHERE placed_at < ? ORDER BY placed_at DESC, id DESC LIMIT ?`,
  customers: `SELECT ${customer} FROM ${tables.customers} WHERE created_at < ? ORDER BY created_at DESC, id DESC LIMIT ?`,
  refunds: `SELECT id, amount_minor AS amountMinor, currency, reason, issued_at AS issuedAt FROM ${tables.refunds} ORDER BY issued_at DESC, id DESC LIMIT ?`,
  token: 'SELECT agent_id AS agentId, scopes FROM bench_tokens WHERE digest = ?',
  record: 'INSERT INTO bench_audit (at, agent_id, operation, variables, outcome) VALUES (?, ?, ?, ?, ?)',
};

const passage =
  'p.id, p.document_id AS documentId, p.title, p.version, p.position, p.heading, p.body AS text';

/** The full-text search over an index of the same words (database/seed.mjs), without ranking. */
export const searchStatement = {
  sqlite: `SELECT ${passage} FROM ${tables.passages} p WHERE p.row_no IN (SELECT rowid FROM bench_fts WHERE bench_fts MATCH ?) ORDER BY p.id LIMIT ?`,
  mysql: `SELECT ${passage} FROM ${tables.passages} p WHERE MATCH (p.tokens) AGAINST (? IN BOOLEAN MODE) ORDER BY p.id LIMIT ?`,
};

/** The next power of two: 100 ids are asked for with 128 places. */
export const paddedLength = (count) => 2 ** Math.ceil(Math.log2(count));

/** As the databases take a time: `2026-03-01 09:30:00.000`. */
export const stored = (iso) => iso.replace('T', ' ').replace('Z', '');
/** As a time leaves: `2026-03-01T09:30:00.000Z`. */
export const iso = (text) => `${text.replace(' ', 'T')}${text.includes('.') ? '' : '.000'}Z`;
export const money = (minor, currency) => ({ amount: (minor / 100).toFixed(2), currency });
