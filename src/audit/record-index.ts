import { sha256Hex } from '../core/digest.js';
import { padded, quote, type Condition, type Sql } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import {
  auditCursors,
  auditIncomplete,
  auditOutbox,
  auditRecords,
  auditSequence,
  auditSetAside,
  type AuditRecordRow,
} from '../store/tables/audit.js';
import { prefixed } from '../store/tables/table.js';
import type { AuditBody } from './record.js';

/** The name of the index's cursor. */
export const indexName = 'index';

const records = quote(auditRecords.name);
/** The index on MySQL. */
const rowIndex = quote(prefixed('audit_index'));
/** The index on SQLite. */
const termIndex = quote(prefixed('audit_terms'));

/** The index terms beside rows. No GraphQL type can have such a name. */
export type Party = '@person' | '@agent' | '@delegation' | '@task';

/** The record is not JSON, or names something too long for the index. */
export class UnreadableRecord extends Error {
  override readonly name = 'UnreadableRecord';
}

const typeMax = 60;
const valueMax = 200;

/**
 * Indexes everything that these records name. Parts that are already indexed stay. Throws `UnreadableRecord`,
 * or the database's error, where a record cannot be read.
 */
export function indexRecords(tx: Connection, ids: readonly string[]): Promise<void> {
  return tx.dialect === 'mysql' ? indexRows(tx, ids) : indexTerms(tx, ids);
}

/**
 * The expressions by which MySQL reads what records name. Each column is one character longer than the index
 * allows, so the index refuses a text that is too long instead of storing a truncated one. The character set
 * is named because JSON_TABLE's default is that of the database.
 */
const mysqlSources = [
  ...['resources', 'furtherRows'].map((list) => ({
    type: 'j.`type`',
    // JSON_TABLE makes a row for an empty list too; its value is NULL.
    value: 'j.`resource_id`',
    from:
      `, JSON_TABLE(b.\`body\`, '$.${list}[*]' COLUMNS (\`type\` VARCHAR(61) CHARACTER SET utf8mb4 PATH '$.type' ERROR ON ERROR, ` +
      "NESTED PATH '$.ids[*]' COLUMNS (`resource_id` VARCHAR(201) CHARACTER SET utf8mb4 PATH '$' ERROR ON ERROR))) j",
  })),
  {
    type: "'@delegation'",
    value: 'j.`id`',
    from: ", JSON_TABLE(b.`body`, '$.delegation.ids[*]' COLUMNS (`id` VARCHAR(27) CHARACTER SET utf8mb4 PATH '$' ERROR ON ERROR)) j",
  },
  { type: "'@person'", value: 'b.`user_id`', from: '' },
  { type: "'@agent'", value: 'b.`agent_id`', from: '' },
  { type: "'@task'", value: 'b.`task`', from: '' },
];

/** A collation that both MySQL and MariaDB have. All parts of a UNION need the same one. */
const collated = (sql: string): string => `${sql} COLLATE utf8mb4_bin`;

/** Writes in the order of the key, so that two concurrent runs never deadlock. */
async function indexRows(tx: Connection, ids: readonly string[]): Promise<void> {
  const params = padded(ids);
  const placeholders = params.map(() => '?').join(', ');
  const selects = mysqlSources.map(
    ({ type, value, from }) =>
      `SELECT ${[type, value, 'b.`id`'].map(collated).join(', ')} FROM ${records} b${from} ` +
      `WHERE b.\`id\` IN (${placeholders}) AND ${value} IS NOT NULL`,
  );
  await tx.affecting(
    `INSERT INTO ${rowIndex} (\`type\`, \`value\`, \`record_id\`) ${selects.join(' UNION ALL ')} ` +
      'ORDER BY 1, 2, 3 ON DUPLICATE KEY UPDATE `record_id` = VALUES(`record_id`)',
    mysqlSources.flatMap(() => params),
    true,
  );
}

async function indexTerms(tx: Connection, ids: readonly string[]): Promise<void> {
  const params = padded(ids);
  const rows = await tx.query(
    `SELECT \`row_no\` AS \`rowNo\`, \`user_id\` AS \`userId\`, \`agent_id\` AS \`agentId\`, \`task\`, \`body\` FROM ${records} ` +
      // Outdated statistics may say that the table is almost empty, and make SQLite scan it.
      `INDEXED BY ${quote(`uq_${auditRecords.name}_id`)} WHERE \`id\` IN (${params.map(() => '?').join(', ')})`,
    params,
    true,
  );
  // Sorts here in the order in which the index grows. An ORDER BY would make SQLite scan all records.
  for (const row of rows.sort((a, b) => Number(a.rowNo) - Number(b.rowNo))) {
    const terms = termsOf(row as unknown as Stored);
    await tx.affecting(`INSERT INTO ${termIndex} (rowid, \`terms\`) VALUES (?, ?)`, [row.rowNo, terms], true);
  }
}

interface Stored {
  readonly userId: string | null;
  readonly agentId: string | null;
  readonly task: string | null;
  readonly body: string;
}

function termsOf({ userId, agentId, task, body }: Stored): string {
  const terms: string[] = [];
  const add = (type: string, value: string | null): void => {
    if (value !== null) terms.push(termOf(type, value));
  };
  const { delegation, resources, furtherRows } = parsed(body);
  add('@person', userId);
  add('@agent', agentId);
  add('@task', task);
  for (const id of delegation?.ids ?? []) add('@delegation', id);
  for (const { type, ids } of [...(resources ?? []), ...(furtherRows ?? [])])
    for (const id of ids) add(type, id);
  return terms.join(' ');
}

function parsed(body: string): Partial<Pick<AuditBody, 'delegation' | 'resources' | 'furtherRows'>> {
  try {
    return JSON.parse(body) as AuditBody;
  } catch {
    // The parser's message would quote the body.
    throw new UnreadableRecord('The body is no JSON.');
  }
}

const typeTerms = new Map<string, string>();

/** A word of letters and digits that is unique for the type and value, case included. */
function termOf(type: string, value: string): string {
  if (type.length > typeMax || value.length > valueMax) throw new UnreadableRecord('A name is too long.');
  const known = typeTerms.get(type) ?? Buffer.from(type).toString('hex');
  // Types come from the schema, so there are few.
  typeTerms.set(type, known);
  return ordinary.test(value) ? `${known}u${value.toLowerCase()}` : `${known}s${sha256Hex(value)}`;
}

/** The form of our ids. Any other value is replaced by its digest. */
const ordinary = /^[0-9A-Z]{1,40}$/;

const wordsOf = (type: string, values: readonly string[]): string =>
  values.map((value) => `"${termOf(type, value)}"`).join(' OR ');

/** Selects the records that the index finds: row numbers on SQLite, ids on MySQL. */
const indexed = (type: string, values: readonly string[]): Readonly<Record<'sqlite' | 'mysql', Sql>> => ({
  sqlite: {
    text: `SELECT rowid FROM ${termIndex} WHERE ${termIndex} MATCH ?`,
    params: [wordsOf(type, values)],
  },
  mysql: {
    text: `SELECT \`record_id\` FROM ${rowIndex} WHERE \`type\` = ? AND \`value\` IN (${values.map(() => '?').join(', ')})`,
    params: [type, ...values],
  },
});

interface Waiting {
  /** A condition over the unindexed record `b`. */
  readonly sqlite: Sql;
  readonly mysql: Sql;
}

/** Records that the index does not have: they have no position yet, or one beyond its cursor, or were set aside. */
const waitingIds =
  `(SELECT \`record_id\` FROM ${quote(auditOutbox.name)} ` +
  `UNION ALL SELECT \`record_id\` FROM ${quote(auditSequence.name)} WHERE \`position\` > ` +
  `(SELECT \`position\` FROM ${quote(auditCursors.name)} WHERE \`consumer\` = '${indexName}') ` +
  `UNION ALL SELECT \`record_id\` FROM ${quote(auditSetAside.name)} WHERE \`consumer\` = '${indexName}')`;

// The derived table is for MariaDB: with an OR, or a UNION directly inside IN, it would scan all records.
// CROSS JOIN is for SQLite: otherwise it would begin with all records instead of the unindexed ones.
const found = (type: string, values: readonly string[], waiting: Waiting): Condition<AuditRecordRow> => {
  const { sqlite, mysql } = indexed(type, values);
  return {
    kind: 'dialects',
    sql: {
      sqlite: {
        text:
          `t.\`row_no\` IN (${sqlite.text} UNION ALL SELECT b.\`row_no\` FROM ${waitingIds} u ` +
          `CROSS JOIN ${records} b WHERE b.\`id\` = u.\`record_id\` AND ${waiting.sqlite.text})`,
        params: [...sqlite.params, ...waiting.sqlite.params],
      },
      mysql: {
        text:
          `t.\`id\` IN (SELECT f.\`record_id\` FROM (${mysql.text} UNION ALL SELECT u.\`record_id\` FROM ` +
          `${waitingIds} u STRAIGHT_JOIN ${records} b ON b.\`id\` = u.\`record_id\` WHERE ${waiting.mysql.text}) f)`,
        params: [...mysql.params, ...waiting.mysql.params],
      },
    },
  };
};

// INSTR is first because most bodies lack the text, and JSON_VALID because JSON functions fail for a body
// that is not JSON.
const inBody = (text: string, holds: Sql): Sql => ({
  text: `CASE WHEN INSTR(b.\`body\`, ?) > 0 AND JSON_VALID(b.\`body\`) THEN ${holds.text} ELSE 0 END`,
  params: [JSON.stringify(text), ...holds.params],
});

/** The records that name a row, exactly: indexed ones by the index, the others by their bodies. */
export const naming = (type: string, id: string): Condition<AuditRecordRow> =>
  found(type, [id], {
    sqlite: inBody(id, {
      text: anyOf(
        (list) =>
          `EXISTS (SELECT 1 FROM json_each(b.\`body\`, '$.${list}') r, json_each(r.\`value\`, '$.ids') i ` +
          "WHERE json_extract(r.`value`, '$.type') = ? AND i.`value` = ?)",
      ),
      params: [type, id, type, id],
    }),
    mysql: inBody(id, {
      text: anyOf((list) => `COALESCE(JSON_CONTAINS(b.\`body\`, ?, '$.${list}'), 0)`),
      params: [JSON.stringify([{ type, ids: [id] }]), JSON.stringify([{ type, ids: [id] }])],
    }),
  });

const anyOf = (sql: (list: 'resources' | 'furtherRows') => string): string =>
  `(${sql('resources')} OR ${sql('furtherRows')})`;

/**
 * Older records that touched more rows of a type than they name. They may or may not have touched a given
 * row.
 */
export const mayName = (type: string): Condition<AuditRecordRow> => ({
  kind: 'sql',
  sql: {
    text: `t.\`id\` IN (SELECT \`record_id\` FROM ${quote(auditIncomplete.name)} WHERE \`type\` = ?)`,
    params: [type],
  },
});

/** The records of operations under a delegation or its descendants. */
export const underDelegation = (id: string): Condition<AuditRecordRow> =>
  found('@delegation', [id], {
    sqlite: inBody(id, {
      text: "EXISTS (SELECT 1 FROM json_each(b.`body`, '$.delegation.ids') i WHERE i.`value` = ?)",
      params: [id],
    }),
    mysql: inBody(id, {
      text: "JSON_CONTAINS(b.`body`, ?, '$.delegation.ids')",
      params: [JSON.stringify(id)],
    }),
  });

const anyOfThem: Sql = { text: '1 = 1', params: [] };

/**
 * All records of these parties, and also all unindexed records. Combine it with a condition on the record's
 * own column; it only saves a scan of all records.
 */
export const among = (party: Party, values: readonly string[]): Condition<AuditRecordRow> =>
  found(party, values, { sqlite: anyOfThem, mysql: anyOfThem });
