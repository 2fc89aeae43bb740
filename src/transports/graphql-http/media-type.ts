import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';
import { Lru } from '../../core/lru.js';
import { HttpError } from '../http/http-error.js';

/** The media types of a response (GraphQL over HTTP, media types). */
const mediaTypes = ['application/json; charset=utf-8', 'application/graphql-response+json; charset=utf-8'];

/** The media type chosen for each recent `Accept` header; callers send few different ones. */
const chosen = new Lru<string, string>(100);

/** The media type that the caller wants. Throws `406`, before anything runs, since nothing can be undone after. */
export function mediaTypeFor(request: IncomingMessage): string | undefined {
  const { accept = '' } = request.headers;
  if (accept === '' || accept === '*/*') return mediaTypes[0];
  const known = chosen.get(accept);
  if (known !== undefined) return known;
  const found = new Negotiator(request).mediaType(mediaTypes);
  if (found === undefined) throw new HttpError(406, `Accept one of ${mediaTypes.join(', ')}.`);
  chosen.set(accept, found);
  return found;
}
