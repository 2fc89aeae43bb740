import type { X509Certificate } from 'node:crypto';
import type { Authority } from '../authority/authority.js';
import type { Clock } from '../core/clock.js';
import { sha256 } from '../core/digest.js';
import { BehalfError, unauthenticated } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import type { Authorities } from '../delegation/authorities.js';
import { inspected } from '../delegation/inspection.js';
import { Call, type CallLimits } from '../graphql/execute/call.js';
import { resourceAt, type GuardedPath } from '../core/guarded-paths.js';
import { certificateFault } from '../oauth/mutual-tls/bound-tokens.js';
import type { OAuth } from '../oauth/server.js';
import type { AccessTokenFact } from '../oauth/library/token-lookup.js';
import type { Connection } from '../store/sql/connection.js';
import type { Line } from './admission.js';

/** An access token, and the scheme that it came in. */
export interface Credentials {
  readonly scheme: 'Bearer' | 'DPoP';
  readonly token: string;
}

/** The caller of a request, as far as a transport knows it. */
export interface Caller {
  /** Where the request came to. A token of another resource counts for nothing here (RFC 8707). */
  readonly resource: GuardedPath;
  readonly credentials: Credentials | undefined;
  /**
   * The method and address that a proof of possession must name, and the proof (RFC 9449 section 4). Transports without
   * HTTP have no proof.
   */
  readonly proof: {
    readonly method: string;
    readonly target: string;
    readonly jwt: string | string[] | undefined;
    /** The certificate of the connection, which is valid now (RFC 8705 section 3). */
    readonly certificate?: () => X509Certificate | undefined;
  };
  /**
   * The id of a delegation that the token's person looks through, to see what its agent sees. Undefined: the token's own
   * chain acts.
   */
  readonly inspects?: string | undefined;
  readonly address: string;
  readonly userAgent: string | null;
  /** W3C Trace Context. */
  readonly traceparent: string | undefined;
  readonly line: Line;
}

interface CallersParts {
  readonly oauth: OAuth;
  /** The base of the identifiers of guarded paths. */
  readonly issuer: string;
  readonly authorities: Authorities<AccessTokenFact>;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: CallLimits;
}

/** A known token that counts for nothing here or any more, so its bearer is not a stranger. */
export class RefusedCaller extends BehalfError {
  constructor(
    readonly fact: AccessTokenFact,
    message: string,
  ) {
    super('UNAUTHENTICATED', message);
  }
}

/** Turns a caller's token into a call with its authority (RFC 6750 section 2.1). */
export class Callers {
  constructor(private readonly parts: CallersParts) {}

  /** A call with the authority read from live rows. Throws `UNAUTHENTICATED`. */
  async recognise(caller: Caller): Promise<Call> {
    const { oauth, authorities, connection, clock } = this.parts;
    const { credentials, proof } = caller;
    if (credentials === undefined) throw unauthenticated('Send an access token: `Authorization: Bearer …`.');
    const { scheme, token } = credentials;
    const arrival = { startedAt: clock.now(), arrived: performance.now() };
    let found: AccessTokenFact | undefined;
    const find = async (): Promise<AccessTokenFact> => {
      found = await this.lookUp(connection, token);
      return this.through(connection, caller, found);
    };
    const { fact, authority } = await authorities
      .resolve(keyOf(caller, token), find)
      .catch((error: unknown) => {
        throw found !== undefined && error instanceof BehalfError && error.code === 'UNAUTHENTICATED'
          ? new RefusedCaller(found, error.message)
          : error;
      });
    if (!this.isFor(caller, fact)) throw this.misdirected(caller, fact);
    const { method, target, jwt, certificate } = proof;
    const fault = certificateFault(() => certificate?.(), fact);
    if (fault !== undefined) throw new RefusedCaller(fact, fault);
    await oauth.checkDpop({ method, target, scheme, proof: jwt }, token, fact);
    return this.call(caller, token, authority, arrival);
  }

  /**
   * A call with the authority that the token last had, without checking that it still holds. Undefined where there is
   * none, and for a token that needs a proof with each request.
   */
  optimistic(caller: Caller): Call | undefined {
    const { scheme, token } = caller.credentials ?? {};
    if (token === undefined || scheme !== 'Bearer' || caller.inspects !== undefined) return undefined;
    const known = this.parts.authorities.last(sha256(token));
    if (known === undefined || isBound(known.fact)) return undefined;
    if (!this.isFor(caller, known.fact)) return undefined;
    const arrival = { startedAt: this.parts.clock.now(), arrived: performance.now() };
    const call = this.call(caller, token, known.authority, arrival);
    call.isOptimistic = true;
    return call;
  }

  /** The authority from live rows of a caller that was recognised before. Throws `UNAUTHENTICATED`. */
  async again(caller: Caller): Promise<Authority> {
    const { authorities, connection } = this.parts;
    const token = caller.credentials?.token ?? '';
    const find = async (): Promise<AccessTokenFact> =>
      this.through(connection, caller, await this.lookUp(connection, token));
    return (await authorities.resolve(keyOf(caller, token), find)).authority;
  }

  private isFor({ resource }: Caller, { audience }: AccessTokenFact): boolean {
    return audience === resourceAt(this.parts.issuer, resource);
  }

  private misdirected({ resource }: Caller, fact: AccessTokenFact): RefusedCaller {
    const wanted = resourceAt(this.parts.issuer, resource);
    return new RefusedCaller(fact, `The access token is for another resource. Get one for ${wanted}.`);
  }

  private async lookUp(connection: Connection, token: string): Promise<AccessTokenFact> {
    const fact = await this.parts.oauth.findAccessToken(connection, token);
    if (fact === undefined)
      throw unauthenticated('The access token is unknown, expired or revoked. Get a new one.');
    return fact;
  }

  /** The fact of the token, or that of the delegation that its person inspects. */
  private async through(
    connection: Connection,
    { inspects }: Caller,
    fact: AccessTokenFact,
  ): Promise<AccessTokenFact> {
    return inspects === undefined ? fact : inspected(connection, fact, inspects);
  }

  private call(caller: Caller, token: string, authority: Authority, at: Arrival): Call {
    const { authorities, ids, clock, limits } = this.parts;
    const { address, userAgent, inspects } = caller;
    const look = async (tx: Connection) =>
      authorities.resolveInside(tx, await this.through(tx, caller, await this.lookUp(tx, token)));
    const call = new Call(ids.next(), at.startedAt, clock, authority, look, { address, userAgent }, limits);
    call.isInspection = call.isFree = inspects !== undefined;
    call.marks.arrived = at.arrived;
    return call;
  }
}

const isBound = ({ dpopThumbprint, certificateThumbprint }: AccessTokenFact): boolean =>
  dpopThumbprint !== undefined || certificateThumbprint !== undefined;

/** Identifies what `find` gives. A text that is not a digest cannot name another token. */
const keyOf = ({ inspects }: Caller, token: string): string =>
  inspects === undefined ? sha256(token) : `${sha256(token)} ${inspects}`;

interface Arrival {
  readonly startedAt: number;
  readonly arrived: number;
}
