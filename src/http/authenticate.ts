import type { FastifyRequest } from 'fastify';
import type { Clock } from '../core/clock.js';
import { unauthenticated } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import type { Authorities } from '../delegation/authorities.js';
import { Call } from '../graphql/call.js';
import type { OAuth } from '../oauth/server.js';
import type { Connection } from '../store/connection.js';

export interface AuthenticateParts {
  readonly oauth: OAuth;
  readonly authorities: Authorities;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly rowsMax: number;
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
    const lookUp = async (connection: Connection) => {
      const fact = await oauth.findAccessToken(connection, token);
      if (fact === undefined)
        throw unauthenticated('The access token is unknown, expired or revoked. Get a new one.');
      return fact;
    };
    const { fact, authority } = await authorities.resolve(() => lookUp(parts.connection));
    await oauth.checkDpop({ method: request.method, scheme, proof: request.headers.dpop }, token, fact);
    const look = async (tx: Connection) => authorities.resolveInside(tx, await lookUp(tx));
    const source = { address: request.ip, userAgent: request.headers['user-agent']?.slice(0, 300) ?? null };
    return new Call(parts.ids.next(), startedAt, clock, authority, look, source, parts.rowsMax);
  };
