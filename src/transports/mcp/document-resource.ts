import {
  ResourceNotFoundError,
  type ProtocolError,
  type ReadResourceResult,
} from '@modelcontextprotocol/server';
import { cutText } from '../../core/cut-text.js';
import { BehalfError, conflict, notFound } from '../../core/errors.js';
import type { DocumentOperation } from '../../operation/operation-request.js';
import { isRecord } from '../../operation/parameters.js';
import { readDocument } from './documents.js';

/** Characters of an address that an error repeats. */
const uriMax = 200;
/** Characters of a text as JSON: what stands around it makes a result of the size that results have at most. */
const textMax = 23_000;

/** RFC 6570. A part begins after so many characters of the version that its document has. */
const uriTemplate = 'behalf://document/{id}{?from,version}';
const uriText =
  /^behalf:\/\/document\/(?<id>[A-Za-z0-9_-]{1,64})(?:\?from=(?<from>\d{1,9})(?:&version=(?<version>\d{1,9}))?)?$/;

export const documentTemplate = {
  uriTemplate,
  name: 'document',
  description:
    'A document of the knowledge base, by its id. A long one comes in parts: behind each stands the address of the next.',
  mimeType: 'text/markdown',
};

export const documentUri = (id: string): string => `behalf://document/${id}`;

/** The address of a document or of a part of it. */
export interface DocumentAddress {
  readonly uri: string;
  readonly id: string;
  readonly from: number;
  readonly version: number | undefined;
}

export function documentAddressIn(uri: string): DocumentAddress | undefined {
  const { id, from = '0', version } = uriText.exec(uri)?.groups ?? {};
  if (id === undefined) return undefined;
  return { uri, id, from: Number(from), version: version === undefined ? undefined : Number(version) };
}

export const noResource = (uri: string): ProtocolError => new ResourceNotFoundError(cutText(uri, uriMax));

export const noDocument = (): BehalfError => notFound('A resource with this address');

/** The operation that reads the part of a document at an address. It fails where there is none. */
export const documentRequest = (address: DocumentAddress): DocumentOperation => ({
  kind: 'document',
  body: { query: readDocument, variables: { id: address.id } },
  ...{ isBuiltIn: true, needsFreeDocuments: true },
  faultOf: (data) => {
    const part = documentPart(address, data);
    return part instanceof BehalfError ? part : undefined;
  },
});

interface StoredDocument {
  readonly version: number;
  readonly body: string;
}

const isStoredDocument = (value: unknown): value is StoredDocument =>
  isRecord(value) && typeof value.version === 'number' && typeof value.body === 'string';

/**
 * The part of a document at an address, and where the next one is. Its text is data. An error where there is no such
 * part, or the document has another version by now.
 * @param data the answer to the operation that reads it
 */
export function documentPart(
  address: DocumentAddress,
  data: unknown,
): Pick<ReadResourceResult, 'contents' | '_meta'> | BehalfError {
  const document = isRecord(data) ? data.document : undefined;
  if (!isStoredDocument(document)) return noDocument();
  const { version, body } = document;
  const { uri, id, from } = address;
  if ((address.version ?? version) !== version)
    return conflict(`The document has changed since. Read it again from its start: ${documentUri(id)}.`);
  if (from > 0 && from >= body.length) return noDocument();
  const end = endWithin(body, from, textMax);
  const text = { uri, mimeType: 'text/markdown', text: body.slice(from, end) };
  const next = `${documentUri(id)}?from=${String(end)}&version=${String(version)}`;
  const words = `These were the characters ${String(from)} to ${String(end)} of ${String(body.length)}. The document goes on at ${next}.`;
  return {
    contents: end === body.length ? [text] : [text, { uri: next, mimeType: 'text/plain', text: words }],
    _meta: { 'behalf/untrusted': ['/contents/0/text'] },
  };
}

/** The end of the longest part that has so many characters as JSON at most; no sign is cut in two. */
function endWithin(text: string, from: number, charactersMax: number): number {
  let size = JSON.stringify('').length;
  let end = from;
  for (const sign of text.slice(from, from + charactersMax)) {
    size += JSON.stringify(sign).length - 2;
    if (size > charactersMax) break;
    end += sign.length;
  }
  return end;
}
