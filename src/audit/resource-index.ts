import { padded, type Condition } from '../store/condition.js';
import type { Connection } from '../store/connection.js';
import type { RowOf } from '../store/table.js';
import type { AuditRecordRow, auditResources } from '../store/tables/audit.js';
import type { TouchedResources } from './trail.js';

type ResourceRow = RowOf<typeof auditResources>;

/** A record's part that the index of touched rows is made from. */
interface Touching {
  readonly operationId: string;
  readonly resources: readonly TouchedResources[];
}

/** Up to so many rows that a record only read are indexed with it; more would cost more than the operation itself. */
const readAtOnceMax = 8;

const rowsOf = (recordId: string, resources: readonly TouchedResources[]): ResourceRow[] =>
  resources.flatMap(({ type, action, ids }) =>
    ids.map((resourceId) => ({ recordId, type, resourceId, action })),
  );

const isRead = ({ action }: TouchedResources): boolean => action === 'read';

/** Whether a record's reads are left to the `Indexer`. */
export const isIndexedLater = ({ resources }: Touching): boolean =>
  resources.filter(isRead).reduce((sum, { ids }) => sum + ids.length, 0) > readAtOnceMax;

/** What is indexed with the record: always what it changed, and its reads where they are few. */
export const rowsAtOnce = (record: Touching): ResourceRow[] =>
  rowsOf(
    record.operationId,
    isIndexedLater(record) ? record.resources.filter((touched) => !isRead(touched)) : record.resources,
  );

// What is no text or too long becomes NULL or stays too long (MariaDB cuts it to its column), and the index takes neither.
const rowsInBodies = {
  sqlite: {
    columns:
      "iif(json_type(r.`value`, '$.type') = 'text', json_extract(r.`value`, '$.type'), NULL) AS `type`, " +
      "iif(i.`type` = 'text' AND length(i.`value`) <= 64, i.`value`, NULL) AS `resource_id`, " +
      "json_extract(r.`value`, '$.action') AS `action`",
    from: "json_each(b.`body`, '$.resources') r, json_each(r.`value`, '$.ids') i",
    isNamed: '',
    otherwise: 'ON CONFLICT (`type`, `resource_id`, `action`, `record_id`) DO NOTHING',
  },
  mysql: {
    columns: 'j.`type`, j.`resource_id`, j.`action`',
    from:
      "JSON_TABLE(b.`body`, '$.resources[*]' COLUMNS (`type` VARCHAR(61) PATH '$.type' ERROR ON ERROR, " +
      "`action` VARCHAR(21) PATH '$.action' ERROR ON ERROR, " +
      "NESTED PATH '$.ids[*]' COLUMNS (`resource_id` VARCHAR(65) PATH '$' ERROR ON ERROR))) j",
    // A list without ids makes a row all the same.
    isNamed: ' AND j.`resource_id` IS NOT NULL',
    otherwise: 'ON DUPLICATE KEY UPDATE `record_id` = VALUES(`record_id`)',
  },
} as const;

/**
 * Indexes all that these records name, whatever of it is indexed already, in the order of the key, so that two that
 * do so never wait for each other in a circle. Throws `StatementFailed` where one of them cannot be read.
 */
export async function indexRecords(tx: Connection, ids: readonly string[]): Promise<void> {
  const { columns, from, isNamed, otherwise } = rowsInBodies[tx.dialect];
  const params = padded(ids);
  await tx.affecting(
    'INSERT INTO `audit_resources` (`type`, `resource_id`, `action`, `record_id`) ' +
      `SELECT ${columns}, b.\`id\` FROM \`audit_records\` b, ${from} ` +
      `WHERE b.\`id\` IN (${params.map(() => '?').join(', ')})${isNamed} ORDER BY 1, 2, 3, 4 ${otherwise}`,
    params,
    true,
  );
}

// As a derived table: an OR, or a UNION right inside IN, would have MariaDB look at every record.
const found = (isNamed: string): string =>
  't.`id` IN (SELECT f.`record_id` FROM (' +
  'SELECT `record_id` FROM `audit_resources` WHERE `type` = ? AND `resource_id` = ? UNION ALL ' +
  // CROSS: otherwise SQLite begins with all records and looks which of them wait.
  'SELECT u.`record_id` FROM `audit_unindexed` u CROSS JOIN `audit_records` b WHERE b.`id` = u.`record_id` AND ' +
  // Most bodies do not hold the id at all, and JSON functions throw at what is not JSON.
  `CASE WHEN INSTR(b.\`body\`, ?) > 0 AND JSON_VALID(b.\`body\`) THEN ${isNamed} ELSE 0 END) f)`;

const byDialect = {
  sqlite: found(
    "EXISTS (SELECT 1 FROM json_each(b.`body`, '$.resources') r, json_each(r.`value`, '$.ids') i " +
      "WHERE json_extract(r.`value`, '$.type') = ? AND i.`value` = ?)",
  ),
  mysql: found("JSON_CONTAINS(b.`body`, ?, '$.resources')"),
} as const;

/**
 * Records that name a row, exactly: those that the index finds, and those that are not indexed yet, by their bodies.
 */
export function naming(type: string, id: string): Condition<AuditRecordRow> {
  const params = [type, id, JSON.stringify(id)];
  return {
    kind: 'dialects',
    sql: {
      sqlite: { text: byDialect.sqlite, params: [...params, type, id] },
      mysql: { text: byDialect.mysql, params: [...params, JSON.stringify([{ type, ids: [id] }])] },
    },
  };
}
