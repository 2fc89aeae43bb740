import type { Authority } from '../authority/authority.js';
import type { Scope } from '../authority/scope.js';
import { sha256Hex } from '../core/digest.js';
import { badInput, BehalfError } from '../core/errors.js';
import { Lru, type CacheState } from '../core/lru.js';
import { eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { trustedDocuments, type TrustedDocumentRow } from '../store/tables/documents.js';

/** A document that the whole schema accepts, and the coordinates and types that it names. */
export interface CheckedDocument {
  readonly kind: 'query' | 'mutation';
  readonly operationName: string | undefined;
  readonly names: ReadonlySet<string>;
}

/** What is wrong with a document; line and column begin with 1 and are null where the whole is meant. */
export interface DocumentFault {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** What the schema says of documents. It is known above this layer, so it is handed in. */
export interface DocumentRules {
  /** Whether a source is one operation with its fragments that the whole schema accepts. */
  check(source: string): CheckedDocument | { readonly faults: readonly DocumentFault[] };
  /** Whether everything that a document names exists for a caller with this ceiling. */
  isReachable(document: CheckedDocument, ceiling: ReadonlySet<Scope>): boolean;
}

/** What a request says of its document, as it came. */
export interface DocumentRequest {
  readonly query?: unknown;
  /** `sha256:` and the hash in hexadecimal, or a registered name (GraphQL over HTTP, persisted documents). */
  readonly documentId?: unknown;
  /** `persistedQuery: { version: 1, sha256Hash }`, as clients of automatic persisted queries send it. */
  readonly extensions?: unknown;
}

export interface RegisteredAs {
  readonly name: string;
  /** SHA-256 of the source, hexadecimal. */
  readonly hash: string;
}

/** The document of a request, and what the chain's roles make of it. */
export interface ResolvedDocument {
  readonly source: string;
  /** Undefined for one that is not registered, or of which nobody asked. */
  readonly registered: RegisteredAs | undefined;
  /** True where a role wants to see such a document, which is not registered, in the record. */
  readonly isLogged: boolean;
}

/** A document that is not registered, which a role of the chain refuses. */
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
  /** By `persistedQuery`: whose clients look for these very messages, and send the text where they find them. */
  readonly isPersisted?: true;
}

/** The same for one that is not there, is retired, or is beyond the caller's reach. */
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

/** How many look-ups, and how many checked documents, are kept. */
const keptMax = 2_000;

/** Finds registered documents. What was found is kept exactly as long as the version of all rights stands. */
export class TrustedDocuments {
  private found = new Lru<string, Promise<TrustedDocumentRow | undefined>>(keptMax);
  private foundVersion = -1;
  /** By hash: a source never changes, and neither does the schema of this process. */
  private readonly checked = new Lru<string, CheckedDocument | 'faulty'>(keptMax);

  constructor(
    private readonly connection: Connection,
    private readonly rules: DocumentRules,
  ) {}

  get caches(): Readonly<Record<string, CacheState>> {
    return { registered_lookups: this.found, registered_documents: this.checked };
  }

  /**
   * The document that a request means; undefined where it says none. `BAD_USER_INPUT` where it says two,
   * `NOT_FOUND` for a name or hash that this caller cannot use, `FORBIDDEN` (`UnregisteredDocument`) where a role
   * runs only registered ones. Run what this returns, and nothing else of the request.
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

  private async byKey(key: Key, authority: Authority): Promise<ResolvedDocument> {
    const row = await this.find(key, authority.version);
    if (row === undefined || !this.isFor(row, authority)) throw unknownDocument(key);
    return { source: row.source, registered: row, isLogged: false };
  }

  /** One that names what this caller does not see is as if it had not been registered, however it is said. */
  private isFor(row: TrustedDocumentRow, { ceiling }: Authority): boolean {
    const document = this.check(row);
    return document !== undefined && this.rules.isReachable(document, ceiling);
  }

  /** Undefined for one that the schema of this version no longer accepts. */
  private check({ hash, source }: TrustedDocumentRow): CheckedDocument | undefined {
    let document = this.checked.get(hash);
    if (document === undefined) {
      const outcome = this.rules.check(source);
      document = 'faults' in outcome ? 'faulty' : outcome;
      this.checked.set(hash, document);
    }
    return document === 'faulty' ? undefined : document;
  }

  /** A later version than the caller's is as good: whatever ended since ends this operation too. */
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

/** Whether a document that an operation rests on still stands, as a transaction sees it. */
export async function isActiveDocument(tx: Connection, hash: string): Promise<boolean> {
  return (await tx.one(trustedDocuments, eq<TrustedDocumentRow>('standingHash', hash))) !== undefined;
}

export const documentName = /^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/;
const hashText = /^[0-9a-f]{64}$/;

/** The key by which a request names a document; undefined where it brings the text itself. */
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
  const { persistedQuery: asked } = extensions as { persistedQuery?: unknown };
  if (asked === undefined || asked === null) return undefined;
  const { version, sha256Hash } = (typeof asked === 'object' ? asked : {}) as Record<string, unknown>;
  if (version !== undefined && version !== 1) throw unsupported();
  if (version === 1 && typeof sha256Hash === 'string' && hashText.test(sha256Hash)) return sha256Hash;
  throw badInput(
    '`persistedQuery` has `version: 1` and `sha256Hash` of 64 hexadecimal digits.',
    'extensions.persistedQuery',
  );
}
