import type { FastifyInstance } from 'fastify';
import { parseJson, UnfitJson } from '../../core/json.js';
import { textOf, typeFault } from '../../core/utf8.js';
import { HttpError } from './http-error.js';

/** Accepts only bodies that are JSON in UTF-8 (RFC 8259 section 8.1). */
export function takeJsonAlone(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, read(request.headers, body));
    } catch (error) {
      done(error as Error);
    }
  });
}

function read(headers: Parameters<typeof typeFault>[0], body: string | Buffer): unknown {
  const fault = typeFault(headers, 'application/json');
  if (fault !== undefined) throw new HttpError(415, fault);
  const text = textOf(Buffer.from(body));
  if (text === undefined) throw new UnfitJson('The body is not UTF-8.');
  return parseJson(text, 'The request');
}
