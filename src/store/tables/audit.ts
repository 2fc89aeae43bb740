import { id, int, long, longtext, nullable, table, text, time, type RowOf } from './table.js';

/** One row per operation. `body` holds the record's exact bytes; the other columns are for searches. */
export const auditRecords = table(
  'AuditRecord',
  'audit_records',
  {
    /** The operation id. */
    id: id(),
    at: time(),
    /** The kind of the recorded event: `RecordKind` in src/audit/record.ts. */
    kind: text(20),
    /** succeeded, partial, refused, failed */
    outcome: text(20),
    userId: nullable(id('users')),
    /** The acting agent: the last one of the chain. */
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
    /** 1: the body's values carry their coordinates. Null: an older record without them. */
    valuesFormat: nullable(int()),
    body: longtext(),
  },
  ['id'],
  { indexes: [['at', 'id']], rowNumber: 'sqlite' },
);

/**
 * Records without a position yet. A row is written with its record, and deleted when the record gets its
 * position.
 */
export const auditOutbox = table('AuditOutbox', 'audit_unindexed', { recordId: id('audit_records') }, [
  'recordId',
]);

/**
 * Records that some consumer has not handled yet, in an order that all consumers see: a row never appears
 * below a position that somebody could have read.
 */
export const auditSequence = table(
  'AuditSequence',
  'audit_sequence',
  { position: long(), recordId: id('audit_records') },
  ['position'],
);

/** How far each consumer has come. */
export const auditCursors = table(
  'AuditCursor',
  'audit_cursors',
  {
    /** The consumer's name, or `sequencer`, whose position is the last one given. */
    consumer: text(60),
    /** The last position that is done. */
    position: long(),
  },
  ['consumer'],
);

/** Records that a consumer could not handle and has passed. */
export const auditSetAside = table(
  'AuditSetAside',
  'audit_set_aside',
  { consumer: text(60), recordId: id('audit_records') },
  ['consumer', 'recordId'],
);

/** Older records that touched rows of these types without naming all of them. */
export const auditIncomplete = table(
  'AuditIncomplete',
  'audit_incomplete',
  { type: text(60), recordId: id('audit_records') },
  ['type', 'recordId'],
);

/**
 * Unregistered documents that ran or were refused although a role of the chain asks for registered ones: one
 * row per role.
 */
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
export type SequencedRecord = RowOf<typeof auditSequence>;
