import type { Authority } from '../authority/authority.js';
import type { ErrorCode } from '../core/errors.js';
import type { Connection } from '../store/sql/connection.js';
import type { RowOf } from '../store/tables/table.js';
import { auditDocuments, auditRecords, auditOutbox, type AuditRecordRow } from '../store/tables/audit.js';
import type { Change, WrittenRow, FurtherRows, RecordedDecision, TouchedResources, Trail } from './trail.js';

export const recordKinds = [
  ...(['graphql', 'token', 'revocation', 'sign_in'] as const),
  ...(['password_change', 'consent', 'command', 'client', 'rejected'] as const),
] as const;
export type RecordKind = (typeof recordKinds)[number];
export const outcomes = ['succeeded', 'partial', 'refused', 'failed'] as const;
export type Outcome = (typeof outcomes)[number];

export interface RecordedError {
  readonly code: ErrorCode;
  readonly path?: string;
  /** The limit that was reached, as `ErrorDetails` names it. */
  readonly limit?: string;
}

/** A message of an MCP client. All but the method is the client's own word. */
export interface McpUse {
  /** The client's name and version, as it calls itself; null where it does not. */
  readonly client: string | null;
  /** The method of the message, such as `tools/call`. */
  readonly method: string;
  /** The name of the tool, or the address of the resource. */
  readonly target: string | null;
}

interface UnregisteredUse {
  readonly outcome: 'logged' | 'refused';
  /** The names of the roles that require registered documents or a note. */
  readonly roles: readonly string[];
}

/** The record of one operation. It is stored as exactly these bytes. */
export interface AuditBody {
  readonly operationId: string;
  readonly at: string;
  readonly kind: RecordKind;
  readonly outcome: Outcome;
  readonly chain: {
    /** Null only where an agent was authenticated and then refused before the person was known. */
    readonly person: { readonly id: string; readonly name: string; readonly displayName: string } | null;
    readonly agents: readonly {
      readonly id: string;
      readonly name: string;
      readonly displayName: string;
      readonly delegationId: string;
      readonly role: string;
    }[];
  } | null;
  readonly delegation: {
    readonly id: string;
    /** The acting delegation, then its parents. */
    readonly ids: readonly string[];
    readonly task: string;
    readonly purpose: string;
  } | null;
  readonly tokenId: string | null;
  readonly authority: {
    readonly version: number;
    readonly layers: readonly { readonly layer: string; readonly id: string }[];
  } | null;
  readonly operation: {
    readonly name: string | null;
    readonly type: string | null;
    /** SHA-256 of the document, base64url. */
    readonly documentHash: string | null;
    /** The name of the registered document, where the request used it or a role required it. */
    readonly registeredAs?: string;
    /**
     * Set where a role of the chain requires registered documents, or a note about others, and this one is
     * not registered.
     */
    readonly unregistered?: UnregisteredUse;
  } | null;
  /** JSON, with personal values redacted. */
  readonly variables: string | null;
  /** JSON of the literal arguments in the document, by their position. Null where there are none. */
  readonly arguments?: string | null;
  readonly decisions: readonly RecordedDecision[];
  readonly resources: readonly TouchedResources[];
  readonly furtherRows?: readonly FurtherRows[];
  /**
   * The dimension values of the written rows, before and after. A reader who may see none of these rows does
   * not see the values written there.
   */
  readonly places?: readonly WrittenRow[];
  readonly changes: readonly Change[];
  readonly errors: readonly RecordedError[];
  readonly rowCount: number;
  readonly durationMs: number;
  readonly source: { readonly address: string | null; readonly userAgent: string | null };
  /** Set where the operation came by MCP. */
  readonly mcp?: McpUse;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The parts of a record that may stay empty. */
export const emptyBody = {
  chain: null,
  delegation: null,
  tokenId: null,
  authority: null,
  operation: null,
  variables: null,
  decisions: [],
  resources: [],
  changes: [],
  errors: [],
  rowCount: 0,
  durationMs: 0,
  source: { address: null, userAgent: null },
  detail: {},
} as const satisfies Partial<AuditBody>;

type Who = Pick<AuditBody, 'chain' | 'delegation' | 'tokenId' | 'authority'>;

const known = new WeakMap<Authority, Who>();

/** The part of a record that the authority determines. Equal authorities give the same object. */
export function whoOf(authority: Authority | undefined): Who {
  if (authority === undefined) return { chain: null, delegation: null, tokenId: null, authority: null };
  const who = known.get(authority) ?? makeWho(authority);
  known.set(authority, who);
  return who;
}

/** As `whoOf`, where the person looks through the delegation: none of its agents acted. */
export function inspectorOf(authority: Authority): Who {
  const who = whoOf(authority);
  return { ...who, chain: { person: authority.chain.person, agents: [] } };
}

function makeWho(authority: Authority): Who {
  const { task } = authority;
  return {
    chain: authority.chain,
    delegation:
      task === undefined
        ? null
        : { id: task.delegationId, ids: task.delegationIds, task: task.task, purpose: task.purpose },
    tokenId: authority.tokenId,
    authority: {
      version: authority.version,
      layers: authority.layers.map(({ layer, id }) => ({ layer, id })),
    },
  };
}

/** The part of a record about the operation's actions. */
export const whatOf = (
  trail: Trail,
): Pick<AuditBody, 'decisions' | 'resources' | 'furtherRows' | 'places' | 'changes' | 'rowCount'> => ({
  decisions: trail.refusals,
  resources: trail.resources,
  furtherRows: trail.furtherRows,
  places: trail.places,
  changes: trail.changes,
  rowCount: trail.rowCount,
});

const cut = (text: string | null | undefined, length: number): string | null =>
  text === null || text === undefined || text.length <= length
    ? (text ?? null)
    : [...text].slice(0, length).join('');

const texts = new WeakMap<object, string>();

/** Caches the text of parts that many records share. */
function textOf(value: object | null): string {
  if (value === null) return 'null';
  const text = texts.get(value) ?? JSON.stringify(value);
  texts.set(value, text);
  return text;
}

const json = (value: unknown): string => JSON.stringify(value);
const rarely = (values: readonly unknown[] = []): string =>
  values.length === 0 ? '' : JSON.stringify(values);
const listOf = (values: readonly unknown[]): string => (values.length === 0 ? '[]' : JSON.stringify(values));

/**
 * The type makes the compiler check that no part of a record is left out. An optional part is an empty text
 * where it is missing.
 */
const textsOf = (body: AuditBody): Record<keyof AuditBody, string> => ({
  operationId: json(body.operationId),
  at: json(body.at),
  kind: json(body.kind),
  outcome: json(body.outcome),
  chain: textOf(body.chain),
  delegation: textOf(body.delegation),
  tokenId: json(body.tokenId),
  authority: textOf(body.authority),
  operation: json(body.operation),
  variables: json(body.variables),
  arguments: body.arguments === null || body.arguments === undefined ? '' : json(body.arguments),
  places: rarely(body.places),
  decisions: listOf(body.decisions),
  resources: listOf(body.resources),
  furtherRows: rarely(body.furtherRows),
  changes: listOf(body.changes),
  errors: listOf(body.errors),
  rowCount: json(body.rowCount),
  durationMs: json(body.durationMs),
  source: json(body.source),
  mcp: body.mcp === undefined ? '' : json(body.mcp),
  detail: json(body.detail),
});

/** The same text as `JSON.stringify`, with a fixed order of keys. */
function bytesOf(body: AuditBody): string {
  let text = '';
  for (const [key, value] of Object.entries(textsOf(body))) if (value !== '') text += `,"${key}":${value}`;
  return wellFormed(`{${text.slice(1)}}`);
}

/** Replaces lone surrogates. MariaDB takes JSON with them as invalid, so no search would find the record. */
const wellFormed = (text: string): string =>
  text.includes('\\ud')
    ? text.replaceAll(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/g, (escape, half?: string) =>
        half === undefined ? escape : '\\ufffd',
      )
    : text;

const rowOf = (body: AuditBody): AuditRecordRow => ({
  id: body.operationId,
  at: body.at,
  kind: body.kind,
  outcome: body.outcome,
  userId: body.chain?.person?.id ?? null,
  agentId: body.chain?.agents.at(-1)?.id ?? null,
  delegationId: body.delegation?.id ?? null,
  task: body.delegation?.task ?? null,
  operationName: cut(body.operation?.name, 200),
  operationType: body.operation?.type ?? null,
  documentHash: body.operation?.documentHash ?? null,
  errorCode: body.errors[0]?.code ?? null,
  rowCount: body.rowCount,
  durationMs: body.durationMs,
  valuesFormat: 1,
  body: bytesOf(body),
});

/**
 * Writes records in the caller's transaction. The outbox hands them to its consumers later; searches are exact
 * before they are indexed, too.
 */
export async function insertRecords(tx: Connection, bodies: readonly AuditBody[]): Promise<void> {
  await tx.insert(auditRecords, bodies.map(rowOf));
  await tx.insert(
    auditOutbox,
    bodies.map((body) => ({ recordId: body.operationId })),
  );
  await tx.insert(auditDocuments, bodies.flatMap(documentRows));
}

function documentRows({ operationId, operation }: AuditBody): RowOf<typeof auditDocuments>[] {
  const { documentHash = null, unregistered } = operation ?? {};
  if (documentHash === null || unregistered === undefined) return [];
  const { roles, outcome } = unregistered;
  return [...new Set(roles)].map((role) => ({ recordId: operationId, role, documentHash, outcome }));
}
