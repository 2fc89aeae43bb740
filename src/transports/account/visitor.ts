import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock.js';
import type { ErrorCode } from '../../core/errors.js';
import type { OwnProgram, TokenOutcome } from '../../oauth/own-program.js';
import type { StepUp } from '../../operation/answer.js';
import type { OperationGate } from '../../operation/gate.js';
import { callerOf } from '../http/caller.js';
import type { AccountCookies, Session } from './cookies.js';
import { newSecret } from './cookies.js';

export interface AccountParts {
  readonly gate: OperationGate;
  readonly program: OwnProgram;
  readonly cookies: AccountCookies;
  readonly clock: Clock;
  readonly publicUrl: string;
  readonly addressOf: (request: IncomingMessage) => string;
  /** The descriptions of all scopes, by name. */
  readonly scopes: ReadonlyMap<string, { readonly description: string; readonly peopleOnly: boolean }>;
  /** The scopes that allow changes. */
  readonly changing: ReadonlySet<string>;
  /** The scopes that `Query.customer` and customers' names need. Undefined where the schema has no such field. */
  readonly customerScopes: readonly string[] | undefined;
  /** Whether browsers get the explorer at `/graphql`. */
  readonly hasExplorer: boolean;
}

/** The sign-in has ended: the pages show how to sign in again. */
export class SignedOut extends Error {}

/** The sign-in goes on, but does not suffice for this: the pages show how to sign in as it is needed. */
export class SignInAgain extends Error {
  constructor(readonly stepUp: StepUp) {
    super(stepUp.message);
  }
}

/** The server cannot answer now. */
export class Unavailable extends Error {
  constructor(readonly retryAfterSeconds = 1) {
    super('The server has too much to do.');
  }
}

/** An operation was answered with errors and changed nothing. */
export class OperationFailed extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly hint: string | undefined,
    readonly path: string | undefined,
    readonly operationId: string,
  ) {
    super(message);
  }
}

interface Body {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: { readonly code: ErrorCode; readonly hint?: string; readonly path?: string };
  }[];
}

/** A document of `documents.ts`, with the name of its operation and the type of its answer. */
export interface Document<T> {
  readonly name: string;
  readonly query: string;
  /** Never set: it carries the type. */
  readonly answer?: T;
}

/** Access tokens are renewed a little early, so that none ends during a request. */
const earlyMs = 5_000;

/** The session of new tokens; throws where there are none. */
export function sessionOf(outcome: TokenOutcome, id: string, now: number): Session {
  if (outcome.kind === 'unavailable') throw new Unavailable();
  if (outcome.kind === 'refused') throw new SignedOut();
  const { access, refresh, expiresIn } = outcome.tokens;
  return { id, access, refresh, endsAt: now + expiresIn * 1000 };
}

export const newSessionId = (): string => newSecret(16);

/** One request of a signed-in browser. It runs operations as the person, through the gate like any other caller. */
export class Visitor {
  private constructor(
    private readonly parts: AccountParts,
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
    readonly session: Session,
  ) {}

  /** Gets a new access token first where the old one has ended. Throws `SignedOut`. */
  static async of(parts: AccountParts, request: FastifyRequest, reply: FastifyReply): Promise<Visitor> {
    const { cookies, clock, program } = parts;
    const session = cookies.sessionIn(request.headers.cookie);
    if (session === undefined) throw new SignedOut();
    if (session.endsAt - earlyMs > clock.now()) return new Visitor(parts, request, reply, session);
    const outcome = await program.refresh(request.raw, session.refresh);
    const renewed = sessionOf(outcome, session.id, clock.now());
    void reply.header('set-cookie', cookies.keepSession(renewed));
    return new Visitor(parts, request, reply, renewed);
  }

  /** The hidden value that proves that a form was made for this session. */
  get formToken(): string {
    return this.parts.cookies.formToken(this.session);
  }

  /**
   * The whole answer. Throws `OperationFailed` for the first error, `SignedOut` where the rights have ended, `SignInAgain`
   * where the sign-in does not suffice.
   */
  async run<T>(document: Document<T>, variables: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const caller = callerOf(this.request, this.reply, '/graphql', this.parts);
    const { name: operationName, query } = document;
    const answer = await this.parts.gate.run(
      { ...caller, credentials: { scheme: 'Bearer', token: this.session.access } },
      { kind: 'document', body: { query, operationName, variables }, isBuiltIn: true },
    );
    if (answer.stepUp !== undefined) throw new SignInAgain(answer.stepUp);
    if (answer.status === 401) throw new SignedOut();
    if (answer.status === 503 || answer.status === 429) throw new Unavailable(answer.retryAfterSeconds);
    const { data, errors = [] } = JSON.parse(String(answer.body)) as Body;
    const [error] = errors;
    if (error === undefined) return data as T;
    const { code, hint, path } = error.extensions;
    throw new OperationFailed(code, error.message, hint, path, answer.operationId);
  }
}
