import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../core/clock.js';
import { sha256 } from '../core/digest.js';
import { BehalfError, unauthenticated } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import type { Authorities } from '../delegation/authorities.js';
import { Call, type CallLimits } from '../graphql/call.js';
import type { OAuth } from '../oauth/server.js';
import type { AccessTokenFact } from '../oauth/token-lookup.js';
import type { Connection } from '../store/connection.js';
import type { Observe } from './observe.js';

export interface AuthenticateParts {
  readonly oauth: OAuth;
  readonly authorities: Authorities<AccessTokenFact>;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: CallLimits;
  readonly observe: Observe;
  readonly addressOf: (request: IncomingMessage) => string;
}

/** A token that we know, whose person, agent or delegation has ended: its bearer is no stranger. */
export class EndedCaller extends BehalfError {
  constructor(
    readonly fact: AccessTokenFact,
    message: string,
  ) {
    super('UNAUTHENTICATED', message);
  }
}

/** Turns a request's token into a call with its authority (RFC 6750 section 2.1), or throws `UNAUTHENTICATED`. */
export const makeAuthenticate =
  (parts: AuthenticateParts) =>
  async (request: FastifyRequest): Promise<Call> => {
    const { oauth, authorities, clock } = parts;
    const credentials = /^(Bearer|DPoP) +([\w-]+)$/i.exec(request.headers.authorization ?? '');
    const [, scheme, token] = credentials ?? [];
    if (scheme === undefined || token === undefined) {
      throw unauthenticated('Send an access token: `Authorization: Bearer …`.');
    }
    const startedAt = clock.now();
    const arrived = performance.now();
    const lookUp = async (connection: Connection) => {
      const fact = await oauth.findAccessToken(connection, token);
      if (fact === undefined)
        throw unauthenticated('The access token is unknown, expired or revoked. Get a new one.');
      return fact;
    };
    let found: AccessTokenFact | undefined;
    const { fact, authority } = await authorities
      .resolve(sha256(token), async () => (found = await lookUp(parts.connection)))
      .catch((error: unknown) => {
        throw found !== undefined && error instanceof BehalfError && error.code === 'UNAUTHENTICATED'
          ? new EndedCaller(found, error.message)
          : error;
      });
    await oauth.checkDpop({ method: request.method, scheme, proof: request.headers.dpop }, token, fact);
    const look = async (tx: Connection) => authorities.resolveInside(tx, await lookUp(tx));
    const source = {
      address: parts.addressOf(request.raw),
      userAgent: request.headers['user-agent']?.slice(0, 300) ?? null,
    };
    const call = new Call(parts.ids.next(), startedAt, clock, authority, look, source, parts.limits);
    call.marks.arrived = arrived;
    const { traceparent } = request.headers;
    call.onRecorded = () => {
      parts.observe(call, typeof traceparent === 'string' ? traceparent : undefined);
    };
    return call;
  };
