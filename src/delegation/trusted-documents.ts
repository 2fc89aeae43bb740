import type { Authority } from '../authority/authority.js';
import type { Scope } from '../authority/scope.js';
import { sha256Hex } from '../core/digest.js';
import { badInput, BehalfError } from '../core/errors.js';
import { Lru, type CacheState } from '../core/lru.js';
import { eq, isNull, not } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { trustedDocuments, type TrustedDocumentRow } from '../store/tables/documents.js';

/** A document that is valid against the whole schema, with the coordinates and types that it names. */
export interface CheckedDocument {
  readonly kind: 'query' | 'mutation';
  readonly operationName: string | undefined;
  readonly names: ReadonlySet<string>;
}

/** A fault of a document. Line and column begin with 1; both are null for a fault of the whole document. */
export interface DocumentFault {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** The schema's checks of documents. The schema belongs to a layer above, so they are passed in. */
export interface DocumentRules {
  /** Checks that a source is one operation with its fragments and valid against the whole schema. */
  check(source: string): CheckedDocument | { readonly faults: readonly DocumentFault[] };
  /** Whether everything that a document names exists for a caller with this ceiling. */
  isReachable(document: CheckedDocument, ceiling: ReadonlySet<Scope>): boolean;
}

/** The unparsed parts of a request that identify its document. */
interface DocumentRequest {
  readonly query?: unknown;
  /** `sha256:` and the hash in hexadecimal, or a registered name (GraphQL over HTTP, persisted documents). */
  readonly documentId?: unknown;
  /** `persistedQuery: { version: 1, sha256Hash }`, as clients of automatic persisted queries send it. */
  readonly extensions?: unknown;
}

interface RegisteredAs {
  readonly name: string;
  /** SHA-256 of the source, hexadecimal. */
  readonly hash: string;
}

/** The document of a request, with the decisions of the chain's roles about it. */
interface ResolvedDocument {
  readonly source: string;
  /** Undefined for a document that is not registered or was not looked up. */
  readonly registered: RegisteredAs | undefined;
  /** Whether a role requires this unregistered document to be noted in the record. */
  readonly isLogged: boolean;
}

/** A role of the chain refuses a document because it is not registered. */
export class UnregisteredDocument extends BehalfError {
  constructor(
    readonly source: string,
    authority: Authority,
  ) {
    const layer = authority.documentRules.find((rule) => rule.policy === 'registered')?.layer ?? 'agent';
    super('FORBIDDEN', 'A role of this chain runs registered documents only, and this is none.', {
      layer,
      hint: 'Send a registered document by its name or its hash, or ask an administrator to register this one.',
    });
  }
}

interface Key {
  readonly column: 'standingName' | 'standingHash';
  readonly value: string;
  /**
   * Named by `persistedQuery`. Those clients expect exact error messages, and send the text when they get
   * them.
   */
  readonly isPersisted?: true;
}

/**
 * The error for a document that does not exist, is retired, or is beyond the caller's reach. All three look
 * the same.
 */
const unknownDocument = ({ isPersisted }: Key): BehalfError =>
  isPersisted
    ? new BehalfError('NOT_FOUND', 'PersistedQueryNotFound', {
        hint: 'There is no registered document of this hash that this task may reach. Send its text.',
      })
    : new BehalfError('NOT_FOUND', 'There is no registered document of this name or hash.', {
        hint: 'Check `documentId`; it may also be retired, or outside what this task may reach.',
      });

const unsupported = (): BehalfError =>
  new BehalfError('BAD_USER_INPUT', 'PersistedQueryNotSupported', {
    hint: '`persistedQuery` is understood in version 1, with a `sha256Hash`. Send the text.',
    path: 'extensions.persistedQuery',
  });

/** The maximum number of cached look-ups, and of cached checks. */
const keptMax = 2_000;

/**
 * Finds registered documents. Results are cached exactly as long as the version of all rights stays the same.
 */
export class TrustedDocuments {
  private active:
    { readonly version: number; readonly rows: Promise<readonly TrustedDocumentRow[]> } | undefined;
  private found = new Lru<string, Promise<TrustedDocumentRow | undefined>>(keptMax);
  private foundVersion = -1;
  /** Keyed by hash. An entry never changes, because neither the source nor this process's schema does. */
  private readonly checked = new Lru<string, CheckedDocument | 'faulty'>(keptMax);

  constructor(
    private readonly connection: Connection,
    private readonly rules: DocumentRules,
  ) {}

  get caches(): Readonly<Record<string, CacheState>> {
    return { registered_lookups: this.found, registered_documents: this.checked };
  }

  /**
   * The document of a request; undefined where the request has none. Throws `BAD_USER_INPUT` for two
   * documents, `NOT_FOUND` for a name or hash that this caller cannot use, `FORBIDDEN`
   * (`UnregisteredDocument`) where a role requires registered documents. Callers must run only the returned
   * source.
   */
  async resolve(request: DocumentRequest, authority: Authority): Promise<ResolvedDocument | undefined> {
    const key = keyOf(request);
    if (key !== undefined) return this.byKey(key, authority);
    const { query: source } = request;
    if (typeof source !== 'string') return undefined;
    if (authority.documents === 'any') return { source, registered: undefined, isLogged: false };
    const mine: Key = { column: 'standingHash', value: sha256Hex(source) };
    const row = await this.find(mine, authority.version);
    if (row !== undefined && this.isFor(row, authority)) return { source, registered: row, isLogged: false };
    if (authority.documents === 'registered') throw new UnregisteredDocument(source, authority);
    return { source, registered: undefined, isLogged: true };
  }

  /** The registered documents that this caller can use, by name. */
  async list(authority: Authority): Promise<readonly TrustedDocumentRow[]> {
    const rows = await this.activeRows(authority.version);
    return rows.filter((row) => this.isFor(row, authority));
  }

  private activeRows(version: number): Promise<readonly TrustedDocumentRow[]> {
    const { active } = this;
    if (active !== undefined && active.version >= version) return active.rows;
    const rows = this.connection
      .select(trustedDocuments, not(isNull<TrustedDocumentRow>('standingName')))
      .then((found) => [...found].sort((a, b) => (a.name < b.name ? -1 : 1)));
    this.active = { version, rows };
    rows.catch(() => {
      this.active = undefined;
    });
    return rows;
  }

  private async byKey(key: Key, authority: Authority): Promise<ResolvedDocument> {
    const row = await this.find(key, authority.version);
    if (row === undefined || !this.isFor(row, authority)) throw unknownDocument(key);
    return { source: row.source, registered: row, isLogged: false };
  }

  /**
   * A registered document that names something hidden from the caller counts as not registered, however the
   * request names it.
   */
  private isFor(row: TrustedDocumentRow, { ceiling }: Authority): boolean {
    const document = this.check(row);
    return document !== undefined && this.rules.isReachable(document, ceiling);
  }

  /** Undefined where this version's schema no longer accepts the document. */
  private check({ hash, source }: TrustedDocumentRow): CheckedDocument | undefined {
    let document = this.checked.get(hash);
    if (document === undefined) {
      const outcome = this.rules.check(source);
      document = 'faults' in outcome ? 'faulty' : outcome;
      this.checked.set(hash, document);
    }
    return document === 'faulty' ? undefined : document;
  }

  /**
   * A result of a later version than the caller's is valid too: the commit gate refuses this operation for
   * anything that has ended since.
   */
  private async find(key: Key, version: number): Promise<TrustedDocumentRow | undefined> {
    if (version > this.foundVersion) {
      this.found = new Lru(keptMax);
      this.foundVersion = version;
    }
    const { found } = this;
    const id = `${key.column} ${key.value}`;
    const known = found.get(id);
    if (known !== undefined) return known;
    const looked = this.connection.one(trustedDocuments, eq<TrustedDocumentRow>(key.column, key.value));
    found.set(id, looked);
    looked.catch(() => {
      found.delete(id);
    });
    return looked;
  }
}

/** Whether the transaction sees the registered document as active. */
export async function isActiveDocument(tx: Connection, hash: string): Promise<boolean> {
  return (await tx.one(trustedDocuments, eq<TrustedDocumentRow>('standingHash', hash))) !== undefined;
}

export const documentName = /^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/;
const hashText = /^[0-9a-f]{64}$/;

/** The key by which a request names a document. Undefined where the request has the text itself. */
function keyOf({ query, documentId, extensions }: DocumentRequest): Key | undefined {
  const hash = persistedHash(extensions);
  const isText = query !== undefined && query !== null;
  const isId = documentId !== undefined && documentId !== null;
  if (isId && (isText || hash !== undefined)) {
    throw badInput('Say the document once: `query`, `documentId` or `persistedQuery`.', 'documentId');
  }
  if (isId) return readId(documentId);
  if (hash === undefined) return undefined;
  if (!isText) return { column: 'standingHash', value: hash, isPersisted: true };
  if (typeof query === 'string' && sha256Hex(query) === hash) return undefined;
  throw badInput('`sha256Hash` is not the SHA-256 of `query`.', 'extensions.persistedQuery.sha256Hash');
}

function readId(id: unknown): Key {
  const text = typeof id === 'string' ? id : '';
  const hash = text.startsWith('sha256:') ? text.slice('sha256:'.length) : undefined;
  if (hash !== undefined && hashText.test(hash)) return { column: 'standingHash', value: hash };
  if (documentName.test(text)) return { column: 'standingName', value: text };
  throw badInput('`documentId` is `sha256:` and 64 hexadecimal digits, or a registered name.', 'documentId');
}

function persistedHash(extensions: unknown): string | undefined {
  if (typeof extensions !== 'object' || extensions === null) return undefined;
  const { persistedQuery: persisted } = extensions as { persistedQuery?: unknown };
  if (persisted === undefined || persisted === null) return undefined;
  const { version, sha256Hash } = (typeof persisted === 'object' ? persisted : {}) as Record<string, unknown>;
  if (version !== undefined && version !== 1) throw unsupported();
  if (version === 1 && typeof sha256Hash === 'string' && hashText.test(sha256Hash)) return sha256Hash;
  throw badInput(
    '`persistedQuery` has `version: 1` and `sha256Hash` of 64 hexadecimal digits.',
    'extensions.persistedQuery',
  );
}
