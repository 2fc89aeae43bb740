import type { Dialect } from '../tables/dialect.js';
import type { Sql } from './condition.js';

const tokens = /`(?:[^`]|``)*`|'(?:[^']|'')*'|\?/g;

/**
 * The same SQL without parameters, for a condition that is part of others' texts. Texts become hexadecimal digits, so
 * that none can end its place.
 */
export function inlined({ text, params }: Sql, dialect: Dialect): string {
  let at = 0;
  return text.replaceAll(tokens, (token) => (token === '?' ? literal(params[at++], dialect) : token));
}

function literal(value: unknown, dialect: Dialect): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Buffer.isBuffer(value)) return `X'${value.toString('hex')}'`;
  if (typeof value !== 'string') throw new TypeError(`A ${typeof value} cannot be part of a condition.`);
  const hex = Buffer.from(value).toString('hex');
  return dialect === 'mysql' ? `_utf8mb4 X'${hex}'` : `CAST(X'${hex}' AS TEXT)`;
}
