import type { Condition } from '../store/condition.js';
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

/** All that a record names. */
export const rowsOfRecord = ({ operationId, resources }: Touching): ResourceRow[] =>
  rowsOf(operationId, resources);

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
