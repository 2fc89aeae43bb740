import { id, int, longtext, nullable, table, text, time, type RowOf } from './table.js';

/** One row per operation. `body` holds the record's exact bytes; the other columns find it. */
export const auditRecords = table(
  'AuditRecord',
  'audit_records',
  {
    /** The operation id. */
    id: id(),
    at: time(),
    /** What was recorded: `RecordKind` in src/audit/record.ts. */
    kind: text(20),
    /** succeeded, partial, refused, failed */
    outcome: text(20),
    userId: nullable(id('users')),
    /** The agent that acted: the last of the chain. */
    agentId: nullable(id('agents')),
    delegationId: nullable(id('delegations')),
    task: nullable(text(200)),
    operationName: nullable(text(200)),
    operationType: nullable(text(20)),
    documentHash: nullable(text(64)),
    /** The first error's code. */
    errorCode: nullable(text(40)),
    rowCount: int(),
    durationMs: int(),
    /** 1: its values say where they were written to. Null: a record from before they did. */
    valuesFormat: nullable(int()),
    body: longtext(),
  },
  ['id'],
  { indexes: [['at', 'id']], rowNumber: 'sqlite' },
);

/** Records that are in no index yet. Written with the record, deleted when it is indexed. */
export const auditUnindexed = table('AuditUnindexed', 'audit_unindexed', { recordId: id('audit_records') }, [
  'recordId',
]);

/** Records from before every row was named: of these types they touched rows that they do not name. */
export const auditIncomplete = table(
  'AuditIncomplete',
  'audit_incomplete',
  { type: text(60), recordId: id('audit_records') },
  ['type', 'recordId'],
);

/** Which documents ran, or were refused, that a role wants registered: one row for each such role of the chain. */
export const auditDocuments = table(
  'AuditDocument',
  'audit_documents',
  {
    recordId: id('audit_records'),
    /** The role's name. */
    role: text(100),
    documentHash: text(64),
    /** logged, refused */
    outcome: text(20),
  },
  ['role', 'documentHash', 'recordId'],
  { indexes: [['recordId']] },
);

export type AuditRecordRow = RowOf<typeof auditRecords>;
