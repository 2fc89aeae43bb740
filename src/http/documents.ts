import type { FastifyRequest } from 'fastify';
import { sha256 } from '../core/digest.js';
import { badInput } from '../core/errors.js';
import { parseJson } from '../core/json.js';
import { isUtf8Target } from '../core/utf8.js';
import {
  UnregisteredDocument,
  type DocumentRequest,
  type TrustedDocuments,
} from '../delegation/documents.js';
import type { Call } from '../graphql/call.js';
import type { Structures } from '../graphql/structure.js';

export interface DocumentParts {
  readonly documents: TrustedDocuments;
  readonly structures: Structures;
}

type Sent = DocumentRequest & { readonly operationName?: unknown };

/**
 * The source of the document that a request means, and a note of it for the record; undefined where the request
 * says none. Run what this returns, and nothing else of the request. Throws as `TrustedDocuments.resolve` does,
 * and what `Structures` finds wrong with its shape.
 */
export async function documentOf(
  call: Call,
  { documents, structures }: DocumentParts,
  request: Sent,
): Promise<string | undefined> {
  const { authority } = call;
  try {
    const found = await documents.resolve(request, authority);
    if (found === undefined) return undefined;
    const { source, registered, isLogged } = found;
    const fault = structures.fault(source);
    if (fault !== undefined) {
      noteSource(call, source, request);
      throw fault;
    }
    if (registered !== undefined) {
      call.document = { registeredAs: registered.name };
      if (authority.documents === 'registered') call.restsOn = registered.hash;
    }
    if (isLogged) call.document = { unregistered: { outcome: 'logged', roles: rolesOf(call) } };
    return source;
  } catch (error) {
    if (error instanceof UnregisteredDocument) {
      noteSource(call, error.source, request);
      call.document = { unregistered: { outcome: 'refused', roles: rolesOf(call) } };
    }
    throw error;
  }
}

/** For the record of a document that goes no further than here. */
function noteSource(call: Call, source: string, { operationName }: Sent): void {
  call.documentHash = sha256(source);
  call.operationName = typeof operationName === 'string' ? operationName : null;
}

const rolesOf = ({ authority }: Call): string[] => authority.documentRules.map(({ role }) => role);

/** Puts the document that a request means in its place, as if the request had brought its text alone. */
export async function placeDocument(
  call: Call,
  parts: DocumentParts,
  request: FastifyRequest,
): Promise<void> {
  if (request.method === 'POST' && isRecord(request.body)) {
    const sent: Sent = request.body;
    const source = await documentOf(call, parts, sent);
    if (source === undefined || isTextAlone(sent, source)) return;
    const { documentId: _, extensions, ...rest } = sent;
    request.body = {
      ...rest,
      query: source,
      ...(isRecord(extensions) && { extensions: others(extensions) }),
    };
  }
  if (request.method === 'GET') {
    if (!isUtf8Target(request.url)) throw badInput('The query of this address is not UTF-8.');
    const url = new URL(request.url, 'http://localhost');
    const sent = readSearch(url.searchParams);
    const source = await documentOf(call, parts, sent);
    if (source === undefined || isTextAlone(sent, source)) return;
    url.searchParams.delete('documentId');
    url.searchParams.set('query', source);
    if (isRecord(sent.extensions)) {
      url.searchParams.set('extensions', JSON.stringify(others(sent.extensions)));
    }
    request.raw.url = `${url.pathname}${url.search}`;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTextAlone = ({ query, extensions }: Sent, source: string): boolean =>
  query === source && !(isRecord(extensions) && 'persistedQuery' in extensions);

/** Apollo Server itself knows no persisted queries, and would refuse the word. */
const others = ({ persistedQuery: _, ...rest }: Record<string, unknown>): Record<string, unknown> => rest;

/** As Apollo Server reads them: each at most once. */
function readSearch(params: URLSearchParams): Sent {
  const once = (name: string): string | undefined => {
    const [value, another] = params.getAll(name);
    if (another !== undefined) throw badInput(`\`${name}\` may be there only once.`, name);
    return value;
  };
  const json = (name: string): unknown => {
    const text = once(name);
    return text === undefined ? undefined : parseJson(text, `\`${name}\``, name);
  };
  // Apollo Server reads the variables, but takes more for JSON than we do.
  json('variables');
  return {
    query: once('query'),
    documentId: once('documentId'),
    operationName: once('operationName'),
    extensions: json('extensions'),
  };
}
