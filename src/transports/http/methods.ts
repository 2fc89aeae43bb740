import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { HttpError } from './http-error.js';

/** For routes that tell by themselves which methods they take, as they do so to known callers alone. */
export const everyMethod: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** `405` where a known path is asked with a method that it does not take (RFC 9110 section 15.5.6). */
export function methodFault(
  { method }: FastifyRequest,
  reply: FastifyReply,
  allowed: readonly string[],
): HttpError | undefined {
  if (allowed.includes(method)) return undefined;
  void reply.header('allow', allowed.join(', '));
  return new HttpError(405, `This address takes ${allowed.join(' and ')}.`);
}

/** The methods that a path takes; none where there is nothing at it. */
export const methodsOf = (app: FastifyInstance, path: string): HTTPMethods[] =>
  everyMethod.filter((method) => app.hasRoute({ method, url: path }));
