import type { IncomingMessage } from 'node:http';
import { isUtf8Form, textOf, typeFault } from '../../core/utf8.js';

const bodyBytesMax = 56 * 1024;

export class FormError extends Error {
  constructor(
    readonly status: 400 | 403 | 413 | 415,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Refuses a form from another site. Browsers name the site (`Origin`, `Sec-Fetch-Site`), and do not send the
 * interaction's cookie with such a form (`SameSite=Lax`). A client that is no browser sends neither header and has no
 * person's cookies.
 */
export function checkOrigin(request: IncomingMessage, issuer: string): void {
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const isForeign =
    (origin !== undefined && origin !== issuer) ||
    (site !== undefined && site !== 'same-origin' && site !== 'none');
  if (isForeign) throw new FormError(403, 'This form was sent from another site.');
}

/** The body of a form in UTF-8. Refuses more than 56 KiB and other types. */
export async function readForm(request: IncomingMessage): Promise<Buffer> {
  const body = await readBody(request, 'application/x-www-form-urlencoded', bodyBytesMax);
  if (textOf(body) === undefined || !isUtf8Form(body.toString('latin1')))
    throw new FormError(400, 'The form is not UTF-8.');
  return body;
}

/** A body of this type. Refuses more bytes and other types. */
export async function readBody(request: IncomingMessage, type: string, bytesMax: number): Promise<Buffer> {
  const fault = typeFault(request.headers, type);
  if (fault !== undefined) throw new FormError(415, fault);
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Keeps the stream open, or the answer could not be sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new FormError(413, 'The body is too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
