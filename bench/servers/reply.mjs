import { randomBytes } from 'node:crypto';
import { tables } from './statements.mjs';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const newId = () => Array.from(randomBytes(26), (byte) => alphabet[byte % 32]).join('');

/**
 * `replyToTicket` as steps of one transaction: the same rows as the server under comparison writes for it, its
 * own record left out. Each key is for one answer, which is given again.
 */
export function* replySteps({ ticketId, body, idempotencyKey }, agentId, forUpdate) {
  const [known] = yield [
    `SELECT answer FROM ${tables.idempotency_keys} WHERE owner_id = ? AND \`key\` = ?`,
    [agentId, idempotencyKey],
  ];
  if (known !== undefined) return JSON.parse(known.answer);
  const [ticket] = yield [
    `SELECT id, customer_id AS customerId, status, version FROM ${tables.tickets} WHERE id = ? ${forUpdate}`,
    [ticketId],
  ];
  if (ticket === undefined) throw new Error('There is no such ticket.');
  const now = new Date().toISOString().replace('T', ' ').replace('Z', '');
  const message = { id: newId(), body, author: 'agent', createdAt: now };
  yield [
    `INSERT INTO ${tables.ticket_messages} (id, ticket_id, customer_id, author, author_name, internal, body, created_at) VALUES (?, ?, ?, ?, ?, 0, ?, ?)`,
    [message.id, ticket.id, ticket.customerId, message.author, 'An agent', body, now],
  ];
  yield [
    `UPDATE ${tables.tickets} SET updated_at = ?, version = ? WHERE id = ?`,
    [now, ticket.version + 1, ticket.id],
  ];
  const answer = { ticket: { id: ticket.id, status: ticket.status }, message };
  yield [
    `INSERT INTO ${tables.idempotency_keys} (owner_id, \`key\`, input_digest, operation_id, answer, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
    [agentId, idempotencyKey, '', message.id, JSON.stringify(answer), now],
  ];
  return answer;
}

/** Runs it. Peers that know no caller answer as one and the same agent. */
export const reply = (store, args, agentId = 'nobody') =>
  store.transaction(replySteps(args, agentId, store.dialect === 'mysql' ? 'FOR UPDATE' : ''));
