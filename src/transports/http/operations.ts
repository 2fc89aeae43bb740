import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BehalfError, internal, unauthenticated } from '../../core/errors.js';
import type { GuardedPath } from '../../core/guarded-paths.js';
import { UnfitJson } from '../../core/json.js';
import { resourceMetadataAt } from '../../oauth/contract/resources.js';
import type { Answer } from '../../operation/answer.js';
import type { Caller } from '../../operation/callers.js';
import { isAnswer, type Arrival, type OperationGate } from '../../operation/gate.js';
import type { McpUse, OperationRequest, Unread } from '../../operation/operation-request.js';
import { callerOf } from './caller.js';
import type { CertificateOf } from './client-certificate.js';
import { challenges, credentialsIn, scopeChallenge, stepUpChallenge } from './challenge.js';
import { HttpError } from './http-error.js';
import { takeJsonAlone } from './json-body.js';

export interface HttpOperationsParts {
  /** The guarded path of these requests. */
  readonly resource: GuardedPath;
  readonly gate: OperationGate;
  readonly publicUrl: string;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly certificateOf: CertificateOf;
  /** The method, target and client of a request, for the record; only a route of MCP has them. */
  readonly mcpOf?: (request: FastifyRequest) => McpUse;
  /** The body of a refusal, where it is not a GraphQL response. */
  readonly wordRefusal?: WordRefusal | undefined;
}

/**
 * The body of a response in place of a result.
 * @param sent the body of the request; undefined where it was not read
 * @param error undefined where the gate refused the caller
 */
export type WordRefusal = (answer: Answer, sent: unknown, error?: BehalfError) => string;

type CallerIn = (request: FastifyRequest, reply: FastifyReply) => Caller;

/** The largest body of a request, in bytes. */
export const bodyBytesMax = 1_048_576;

const json = 'application/json; charset=utf-8';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where the caller was recognised. */
    arrival: Arrival | undefined;
  }
}

/**
 * HTTP requests as operations. The caller is recognised by the head, before a body is read, and every answer comes from
 * the gate.
 */
export class HttpOperations {
  constructor(private readonly parts: HttpOperationsParts) {}

  /**
   * For a scope of routes in which each request is one operation.
   * @param callerIn the caller of a request; by default that of its `Authorization` header
   */
  guard(scope: FastifyInstance, callerIn: CallerIn = this.byHeader): void {
    const { gate } = this.parts;
    scope.decorateRequest('arrival', undefined);
    takeJsonAlone(scope);
    // Most callers are recognised at once: they need no promise.
    scope.addHook('onRequest', (request, reply, next) => {
      const admitted = (arrival: Arrival | Answer): void => {
        if (isAnswer(arrival)) void reply.send(this.refusalOf(request, reply, arrival));
        else {
          request.arrival = arrival;
          next();
        }
      };
      const arrival = gate.admit(callerIn(request, reply), request.method === 'POST');
      if (arrival instanceof Promise) arrival.then(admitted).catch(next);
      else admitted(arrival);
    });
    scope.setErrorHandler((error, request, reply) => this.refuse(request, reply, error));
  }

  private readonly byHeader: CallerIn = (request, reply) =>
    callerOf(request, reply, this.parts.resource, this.parts);

  /** RFC 9728 section 5.1. */
  private get metadata(): string {
    return `${this.parts.publicUrl}${resourceMetadataAt(this.parts.resource)}`;
  }

  /** As `answer`, for a request that could not be read. */
  async refuse(
    request: FastifyRequest,
    reply: FastifyReply,
    error: unknown,
    known: Pick<Unread, 'wanted' | 'isFree'> = {},
  ): Promise<Answer['body']> {
    const shown = tellable(error);
    const status = shown instanceof HttpError ? shown.status : undefined;
    if (status === 415) void reply.header('accept-encoding', 'identity');
    const mcp = this.parts.mcpOf?.(request);
    const answer = await this.parts.gate.refuse(arrivalOf(request), shown, { ...known, status, mcp });
    return this.refusalOf(request, reply, answer, shown);
  }

  /** As `bodyOf`, for an answer in place of a result. */
  refusalOf(
    request: FastifyRequest,
    reply: FastifyReply,
    answer: Answer,
    error?: BehalfError,
  ): Answer['body'] {
    const { wordRefusal } = this.parts;
    const sent = error instanceof UnfitJson ? error.value : request.body;
    const body = wordRefusal === undefined ? answer.body : wordRefusal(answer, sent, error);
    return this.bodyOf(request, reply, { ...answer, body });
  }

  /**
   * Sets the head of the response and returns its body, which Fastify sends.
   * @param mediaType of a GraphQL response
   */
  async answer(
    request: FastifyRequest,
    reply: FastifyReply,
    wanted: OperationRequest,
    mediaType?: string,
  ): Promise<Answer['body']> {
    return this.bodyOf(request, reply, await this.parts.gate.answer(arrivalOf(request), wanted), mediaType);
  }

  /** Sets the head of the response, and returns its body. */
  bodyOf({ headers }: FastifyRequest, reply: FastifyReply, answer: Answer, mediaType = json): Answer['body'] {
    const { status, body, operationId, kind, retryAfterSeconds, unrecognised, stepUp, allow } = answer;
    const { missingScopes } = answer;
    void reply
      .code(status)
      .header(
        'content-type',
        kind === 'sdl' ? 'text/plain; charset=utf-8' : kind === 'response' ? mediaType : json,
      )
      .header('cache-control', 'no-store')
      .header('behalf-operation-id', operationId);
    if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds));
    if (allow !== undefined) void reply.header('allow', allow);
    if (stepUp !== undefined) {
      const scheme = credentialsIn(headers.authorization)?.scheme ?? 'Bearer';
      void reply.header('www-authenticate', stepUpChallenge(stepUp, scheme, this.metadata));
      return body;
    }
    if (status === 403 && missingScopes !== undefined) {
      const scheme = credentialsIn(headers.authorization)?.scheme ?? 'Bearer';
      void reply.header('www-authenticate', scopeChallenge(missingScopes, scheme, this.metadata));
      return body;
    }
    // Rights may also end while an operation runs.
    const ended =
      status === 401
        ? (unrecognised ?? unauthenticated('The access token has ended. Get a new one.'))
        : unrecognised;
    if (ended !== undefined) {
      const challenged = challenges(ended, credentialsIn(headers.authorization), this.metadata);
      void reply.header('www-authenticate', challenged);
    }
    return body;
  }
}

export function arrivalOf({ arrival }: FastifyRequest): Arrival {
  if (arrival === undefined) throw new Error('A request came past authentication.');
  return arrival;
}

/**
 * Fastify's errors as errors of the project. Only known client errors become one; any other error is a failure of the
 * server.
 */
function tellable(error: unknown): BehalfError {
  if (error instanceof BehalfError) return error;
  switch ((error as { code?: unknown }).code) {
    case 'ECONNRESET':
      return new BehalfError('BAD_USER_INPUT', 'The connection closed before the whole body was there.');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new BehalfError('BAD_USER_INPUT', 'The body is not as long as Content-Length says.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new HttpError(415, 'Send the body as application/json.');
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HttpError(413, `The body is larger than ${String(bodyBytesMax)} bytes.`);
    default:
      return internal(error);
  }
}
