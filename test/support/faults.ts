import { expect } from 'vitest';
import * as business from '../../src/domains/business/tables.js';
import * as knowledge from '../../src/domains/knowledge/tables.js';
import { canonicalJson, sha256 } from '../../src/core/digest.js';
import { errorCodes } from '../../src/core/errors.js';
import { all, eq } from '../../src/store/sql/condition.js';
import type { Database } from '../../src/store/sql/database.js';
import { unprefixed, type Table } from '../../src/store/tables/table.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import * as identity from '../../src/store/tables/identity.js';
import type { Answer, TestServer } from './server.js';

type AnyTable = Table<Record<string, unknown>>;

const isTable = (value: unknown): value is AnyTable =>
  value !== null && typeof value === 'object' && 'columns' in value && 'primaryKey' in value;

/** Every table except those of records, and of tokens, which their library deletes. */
const tables = [business, knowledge, identity]
  .flatMap((module) => Object.values(module) as unknown[])
  .filter(isTable)
  .filter((table) => table !== (identity.oauthPayloads as unknown));

/** A task's spent limits change with every operation, also with a refused one. */
const spent = ({ operationsUsed: _operations, rowsUsed: _rows, ...rest }: Record<string, unknown>): object =>
  rest;

/** One digest of everything that a request could change. */
export async function digestOf(database: Database): Promise<string> {
  expect(tables.length).toBeGreaterThan(20);
  const parts: string[] = [];
  for (const table of tables) {
    const rows = await database.read.select(table, all());
    parts.push(table.name, ...rows.map((row) => canonicalJson(spent(row))).sort());
  }
  return sha256(parts.join('\n'));
}

/** Traces of internal details: stacks, SQL, files, tables, drivers, values of the runtime. */
export const insides = new RegExp(
  [
    String.raw`\bat \S+ \(|\.[cm]?[jt]s\b|node_modules|/(src|dist|home|tmp|work)/`,
    String.raw`\b(SELECT|INSERT|UPDATE|DELETE|WHERE|SQLITE_[A-Z]+|ER_[A-Z_]+|sqlite|mysql|mariadb|typeorm|errno)\b`,
    ...tables.flatMap(({ name }) => [name, unprefixed(name)]).filter((name) => name.includes('_')),
    String.raw`\[object |\bundefined\b|TypeError|RangeError|NaN`,
  ].join('|'),
);

/** Checks the form of a refusal that every caller may rely on; returns its codes. */
export function codesOf(answer: Answer): unknown[] {
  const known = new Set<unknown>(errorCodes);
  expect(answer.errors.length).toBeGreaterThan(0);
  for (const { message, extensions } of answer.errors) {
    expect(message).not.toMatch(insides);
    expect(JSON.stringify(extensions)).not.toMatch(insides);
    expect(known).toContain(extensions.code);
    expect(extensions).not.toHaveProperty('stacktrace');
    expect(extensions.operationId).toBe(answer.headers.get('behalf-operation-id'));
  }
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return [...new Set(answer.errors.map((error) => error.extensions.code))];
}

/** The error codes in the operation's record. */
export async function recordedCodes(server: TestServer, answer: Answer): Promise<unknown[]> {
  const id = answer.headers.get('behalf-operation-id');
  const record = await server.database.read.one(auditRecords, eq('id', id));
  const body = JSON.parse(record?.body ?? '{"errors":[]}') as { errors: { code: string }[] };
  return [...new Set(body.errors.map((error) => error.code))];
}
