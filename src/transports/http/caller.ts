import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GuardedPath } from '../../core/guarded-paths.js';
import type { Caller } from '../../operation/callers.js';
import { credentialsIn } from './challenge.js';
import type { CertificateOf } from './client-certificate.js';

interface CallerParts {
  readonly addressOf: (request: IncomingMessage) => string;
  /** Undefined where no token is bound to a certificate. */
  readonly certificateOf?: CertificateOf;
}

/** The caller of a request, from its head. @param resource what the request is for */
export const callerOf = (
  request: FastifyRequest,
  reply: FastifyReply,
  resource: GuardedPath,
  { addressOf, certificateOf }: CallerParts,
): Caller => {
  const { method, originalUrl: target, headers } = request;
  const { authorization, traceparent } = headers;
  return {
    resource,
    credentials: credentialsIn(authorization),
    proof: { method, target, jwt: headers.dpop, certificate: () => certificateOf?.(request.raw) },
    address: addressOf(request.raw),
    userAgent: headers['user-agent']?.slice(0, 300) ?? null,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    line: reply.raw,
  };
};
