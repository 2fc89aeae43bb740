import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Authority } from '../authority/authority.js';
import type { Clock } from '../core/clock.js';
import { sha256 } from '../core/digest.js';
import { BehalfError, unauthenticated } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import type { Authorities } from '../delegation/authorities.js';
import { Call, type CallLimits } from '../graphql/call.js';
import type { OAuth } from '../oauth/server.js';
import type { AccessTokenFact } from '../oauth/token-lookup.js';
import type { Connection } from '../store/connection.js';
import { credentialsIn } from './challenge.js';
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

/** Turns a request's token into a call with its authority (RFC 6750 section 2.1). */
export class Authenticator {
  constructor(private readonly parts: AuthenticateParts) {}

  /** By the authority as it stands, or throws `UNAUTHENTICATED`. */
  async authenticate(request: FastifyRequest): Promise<Call> {
    const { oauth, authorities, connection, clock } = this.parts;
    const credentials = credentialsIn(request.headers.authorization);
    if (credentials === undefined) throw unauthenticated('Send an access token: `Authorization: Bearer …`.');
    const { scheme, token } = credentials;
    const arrival = { startedAt: clock.now(), arrived: performance.now() };
    let found: AccessTokenFact | undefined;
    const { fact, authority } = await authorities
      .resolve(sha256(token), async () => (found = await this.lookUp(connection, token)))
      .catch((error: unknown) => {
        throw found !== undefined && error instanceof BehalfError && error.code === 'UNAUTHENTICATED'
          ? new EndedCaller(found, error.message)
          : error;
      });
    const { method, originalUrl: target } = request;
    await oauth.checkDpop({ method, target, scheme, proof: request.headers.dpop }, token, fact);
    return this.call(request, token, authority, arrival);
  }

  /**
   * By the authority that the token last had, without a look at whether it still stands; undefined where there is
   * none, and for a token that needs a proof with each request.
   */
  assume(request: FastifyRequest): Call | undefined {
    const { scheme, token } = credentialsIn(request.headers.authorization) ?? {};
    if (token === undefined || scheme !== 'Bearer') return undefined;
    const known = this.parts.authorities.last(sha256(token));
    if (known === undefined || known.fact.dpopThumbprint !== undefined) return undefined;
    const arrival = { startedAt: this.parts.clock.now(), arrived: performance.now() };
    const call = this.call(request, token, known.authority, arrival);
    call.isAssumed = true;
    return call;
  }

  private async lookUp(connection: Connection, token: string): Promise<AccessTokenFact> {
    const fact = await this.parts.oauth.findAccessToken(connection, token);
    if (fact === undefined)
      throw unauthenticated('The access token is unknown, expired or revoked. Get a new one.');
    return fact;
  }

  private call(request: FastifyRequest, token: string, authority: Authority, at: Arrival): Call {
    const { parts } = this;
    const look = async (tx: Connection) => parts.authorities.resolveInside(tx, await this.lookUp(tx, token));
    const source = {
      address: parts.addressOf(request.raw),
      userAgent: request.headers['user-agent']?.slice(0, 300) ?? null,
    };
    const call = new Call(parts.ids.next(), at.startedAt, parts.clock, authority, look, source, parts.limits);
    call.marks.arrived = at.arrived;
    const { traceparent } = request.headers;
    call.onRecorded = () => {
      parts.observe(call, typeof traceparent === 'string' ? traceparent : undefined);
    };
    return call;
  }
}

interface Arrival {
  readonly startedAt: number;
  readonly arrived: number;
}
