import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { HttpError } from './http-error.js';

/** For routes that check the method themselves, so that only recognised callers learn which methods there are. */
export const everyMethod: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** `405` where a known path does not take the method (RFC 9110 section 15.5.6). */
export function methodFault(
  { method }: FastifyRequest,
  reply: FastifyReply,
  allowed: readonly string[],
): HttpError | undefined {
  if (allowed.includes(method)) return undefined;
  void reply.header('allow', allowed.join(', '));
  return new HttpError(405, `This address takes ${allowed.join(' and ')}.`);
}

/** The methods that a path takes; none where there is no route. */
export const methodsOf = (app: FastifyInstance, path: string): HTTPMethods[] =>
  everyMethod.filter((method) => app.hasRoute({ method, url: path }));
