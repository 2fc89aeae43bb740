import { sha256 } from '../core/digest.js';
import { UnregisteredDocument, type TrustedDocuments } from '../delegation/trusted-documents.js';
import type { Call } from '../graphql/execute/call.js';
import type { Structures } from '../graphql/document/structure.js';
import { isRecord, parametersIn, type Parameters } from './parameters.js';

export interface ResolveParts {
  readonly documents: TrustedDocuments;
  readonly structures: Structures;
}

/**
 * The body of a request with its document resolved to the text; the body as it came where it names no document. Notes
 * the resolved document for the record. Throws as `TrustedDocuments.resolve` does, and the fault that `Structures`
 * finds in the document's shape.
 */
export async function resolveDocument(call: Call, parts: ResolveParts, body: unknown): Promise<unknown> {
  const sent = parametersIn(body);
  const source = await sourceOf(call, parts, sent);
  if (source === undefined || isTextAlone(sent, source)) return body;
  const { documentId: _, extensions, ...rest } = sent;
  return { ...rest, query: source, ...(isRecord(extensions) && { extensions: others(extensions) }) };
}

async function sourceOf(
  call: Call,
  { documents, structures }: ResolveParts,
  sent: Parameters,
): Promise<string | undefined> {
  const { authority } = call;
  try {
    const found = await documents.resolve(sent, authority);
    if (found === undefined) return undefined;
    const { source, registered, isLogged } = found;
    const fault = structures.fault(source);
    if (fault !== undefined) {
      noteDocument(call, { ...sent, query: source });
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
      noteDocument(call, { ...sent, query: error.source });
      call.document = { unregistered: { outcome: 'refused', roles: rolesOf(call) } };
    }
    throw error;
  }
}

/** For the record of a document that is refused here. */
export function noteDocument(call: Call, { query, operationName }: Parameters): void {
  if (typeof query === 'string') call.documentHash = sha256(query);
  if (typeof operationName === 'string') call.operationName = operationName;
}

const rolesOf = ({ authority }: Call): string[] => authority.documentRules.map(({ role }) => role);

const isTextAlone = ({ query, extensions }: Parameters, source: string): boolean =>
  query === source && !(isRecord(extensions) && 'persistedQuery' in extensions);

/** Apollo Server itself has persisted queries turned off, and would refuse the parameter. */
const others = ({ persistedQuery: _, ...rest }: Record<string, unknown>): Record<string, unknown> => rest;
