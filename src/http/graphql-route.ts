import type { IncomingMessage } from 'node:http';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import Negotiator from 'negotiator';
import { sha256 } from '../core/digest.js';
import { BehalfError, internal, unauthenticated } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import { Lru } from '../core/lru.js';
import type { Logger } from '../core/logger.js';
import type { AuthRecords } from '../delegation/auth-records.js';
import type { Releases } from '../delegation/release.js';
import type { ApolloServers } from '../graphql/apollo.js';
import { asFinished } from '../graphql/as-finished.js';
import type { Call } from '../graphql/call.js';
import { errorBody, statusOfError } from '../graphql/errors.js';
import type { ShortAnswer, ShortWay } from '../graphql/short-way.js';
import { EndedCaller, type Authenticator } from './authenticate.js';
import { challenges, credentialsIn } from './challenge.js';
import { placeDocument, type DocumentParts } from './documents.js';
import { HttpError } from './http-error.js';
import { takeJsonAlone } from './json-body.js';
import { limitLoad, retryAfter, type LoadParts } from './limit-load.js';
import type { Rejections } from './rejections.js';
import { everyMethod, requireMethod } from './methods.js';
import { schemaRoute, type SchemaRouteParts } from './schema-route.js';

export interface GraphQLRouteParts extends LoadParts, DocumentParts, SchemaRouteParts {
  readonly authenticator: Authenticator;
  readonly apollo: ApolloServers;
  readonly shortWay: ShortWay;
  readonly releases: Releases;
  readonly rejections: Rejections;
  readonly recorder: AuthRecords;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly publicUrl: string;
  readonly addressOf: (request: IncomingMessage) => string;
}

/** The largest body of a request, in bytes. */
export const bodyBytesMax = 1_048_576;

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a request to `/graphql` whose caller is known. */
    call: Call | undefined;
  }
}

const callOf = ({ call }: FastifyRequest): Call => {
  if (call === undefined) throw new Error('A request came past authentication.');
  return call;
};

/**
 * `/graphql`: nobody gets past this without a live authority, and nothing leaves without a record, whether or
 * not the request ever reached Apollo Server.
 */
export function graphqlRoute(app: FastifyInstance, parts: GraphQLRouteParts): void {
  void app.register((scope, _options, done) => {
    scope.decorateRequest('call', undefined);
    takeJsonAlone(scope);
    limitLoad(scope, parts);
    scope.addHook('onRequest', (request, reply, next) => {
      request.call = isPost(request) ? parts.authenticator.assume(request) : undefined;
      if (request.call !== undefined) {
        next();
        return;
      }
      admit(request, reply, parts).then((isAdmitted) => {
        if (isAdmitted) next();
      }, next);
    });
    scope.addHook('onSend', (request, reply, payload, next) => {
      const { call } = request;
      if (call === undefined || call.recorded) next(null, payload);
      else
        recordUnreached(call, reply, parts, payload).then((told) => {
          next(null, told);
        }, next);
    });
    // Rights that ended while the operation ran are told by whoever noticed, in several places.
    scope.addHook('onSend', (request, reply, payload, next) => {
      if (reply.statusCode === 401 && !reply.hasHeader('www-authenticate')) {
        challenge(request, reply, unauthenticated('The access token has ended. Get a new one.'), parts);
      }
      next(null, payload);
    });
    scope.setErrorHandler((error, request, reply) => {
      const call = callOf(request);
      const told = asTold(error);
      call.errorCode = told.code;
      if (told.code === 'INTERNAL')
        parts.logger.error({ operationId: call.id, err: error }, 'request failed');
      retryAfter(reply, told);
      if (told instanceof HttpError && told.status === 415) void reply.header('accept-encoding', 'identity');
      void reply.code(statusOfRefusal(told)).send(errorBody(told, call.id));
    });
    scope.route({
      method: everyMethod,
      url: '/graphql',
      bodyLimit: bodyBytesMax,
      handler: async (request, reply) => {
        requireMethod(request, reply, ['GET', 'POST']);
        const mediaType = mediaTypeFor(request);
        if (callOf(request).isAssumed) {
          const isSpent = parts.releases.spent(callOf(request).authority) !== undefined;
          const short = isSpent ? undefined : await parts.shortWay.answer(callOf(request), request.body);
          if (short !== undefined) return sendShort(reply, callOf(request), mediaType, short);
          const { marks } = callOf(request);
          if (!(await admit(request, reply, parts))) return reply;
          const { arrived, admitted } = marks;
          Object.assign(callOf(request).marks, { arrived, admitted });
        }
        refuseSpent(callOf(request), request.body, parts);
        const call = callOf(request);
        await placeDocument(call, parts, request);
        const short = isPost(request) ? await parts.shortWay.answer(call, request.body) : undefined;
        if (short !== undefined) return sendShort(reply, call, mediaType, short);
        const server = await parts.apollo.for(call.authority.ceiling);
        const options = { context: () => Promise.resolve({ call }) };
        const handle = fastifyApolloHandler(server, options) as unknown as RouteHandlerMethod;
        return handle.call(scope, request, reply);
      },
    });
    schemaRoute(scope, parts, callOf);
    done();
  });
}

const isPost = (request: FastifyRequest): boolean => request.method === 'POST';

/** By an authority that stands. False where there is none, which the caller has then been told. */
async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: GraphQLRouteParts,
): Promise<boolean> {
  const address = parts.addressOf(request.raw);
  const wait = parts.rejections.waitSeconds(address);
  try {
    request.call = undefined;
    request.call = await parts.authenticator.authenticate(request);
    return true;
  } catch (error) {
    const told = asTold(error);
    const operationId = parts.ids.next();
    // An address has to wait for what it did wrong, never for a failure of ours.
    const isFlood = wait > 0 && told.code === 'UNAUTHENTICATED';
    if (told.code === 'INTERNAL') parts.logger.error({ operationId, err: error }, 'authentication failed');
    if (told.code === 'UNAUTHENTICATED') {
      await recordRefusal(request, error, { operationId, address, isFlood }, parts);
      challenge(request, reply, told, parts);
    }
    if (isFlood) void reply.header('retry-after', String(wait));
    else retryAfter(reply, told);
    void reply.header('cache-control', 'no-store').header('behalf-operation-id', operationId);
    await reply.code(isFlood ? 429 : statusOfError(told)).send(errorBody(told, operationId));
    return false;
  }
}

function challenge(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  error: BehalfError,
  { publicUrl }: GraphQLRouteParts,
): void {
  void reply.header('www-authenticate', challenges(error, credentialsIn(headers.authorization), publicUrl));
}

/** Who is known is recorded by name, as long as it is no flood; strangers are recorded in aggregate. */
async function recordRefusal(
  request: FastifyRequest,
  error: unknown,
  { operationId, address, isFlood }: { operationId: string; address: string; isFlood: boolean },
  parts: GraphQLRouteParts,
): Promise<void> {
  const userAgent = request.headers['user-agent']?.slice(0, 300) ?? '';
  try {
    if (error instanceof EndedCaller && !isFlood) {
      const { tokenId, userId, delegationId } = error.fact;
      const of = delegationId === undefined ? {} : { delegationId };
      const event = { kind: 'rejected', outcome: 'refused', detail: error.message } as const;
      await parts.recorder.recordAuthEvent({
        ...event,
        ...of,
        operationId,
        tokenId,
        userId,
        address,
        userAgent,
      });
    }
    await parts.rejections.count(address, 'UNAUTHENTICATED', !(error instanceof EndedCaller));
  } catch (cause) {
    parts.logger.error({ operationId, err: cause }, 'a rejected request could not be recorded');
  }
}

/** Nothing is read of a document that nothing is left for, but what its record says of it. */
function refuseSpent(call: Call, body: unknown, { releases }: Pick<GraphQLRouteParts, 'releases'>): void {
  const refusal = releases.spent(call.authority);
  if (refusal === undefined) return;
  call.isFree = true;
  const { query, operationName } = (body ?? {}) as { query?: unknown; operationName?: unknown };
  if (typeof query === 'string') call.documentHash = sha256(query);
  if (typeof operationName === 'string') call.operationName = operationName;
  throw refusal;
}

/** For what Apollo Server's plugins never see: malformed JSON, oversized bodies, refusals against CSRF. */
async function recordUnreached(
  call: Call,
  reply: FastifyReply,
  parts: GraphQLRouteParts,
  payload: unknown,
): Promise<unknown> {
  void reply.header('behalf-operation-id', call.id).header('cache-control', 'no-store');
  // Its record is written in any case, once it has been looked at again what its caller may.
  call.isAssumed = false;
  const code = call.errorCode ?? (reply.statusCode >= 500 ? 'INTERNAL' : 'BAD_USER_INPUT');
  try {
    const refusal = await parts.releases.release(asFinished(call, [{ code }], false));
    call.recorded = true;
    if (refusal === undefined) return withOperationId(payload, call.id);
    void reply.code(statusOfError(refusal));
    return JSON.stringify(errorBody(refusal, call.id));
  } catch (error) {
    parts.logger.error({ operationId: call.id, err: error }, 'no record');
    const told = asTold(error);
    call.unrecorded(told.code);
    retryAfter(reply, told);
    void reply.code(statusOfError(told)).header('content-type', 'application/json; charset=utf-8');
    return JSON.stringify(errorBody(told, call.id));
  }
}

/** Apollo answers these by itself; each of its errors gets the id that finds the record. */
function withOperationId(payload: unknown, operationId: string): unknown {
  if (typeof payload !== 'string') return payload;
  try {
    const body = JSON.parse(payload) as { errors?: { extensions?: object }[] };
    for (const error of body.errors ?? []) error.extensions = { ...error.extensions, operationId };
    return JSON.stringify(body);
  } catch {
    return payload;
  }
}

/** What a response may be (GraphQL over HTTP); asked before anything runs, as nothing can be taken back after. */
const mediaTypes = ['application/json; charset=utf-8', 'application/graphql-response+json; charset=utf-8'];

function mediaTypeFor(request: FastifyRequest): string | undefined {
  // As Apollo Server itself reads the header, which must not find fault with it after the work is done.
  const { accept = '' } = request.headers;
  if (accept === '' || accept === '*/*') return mediaTypes[0];
  const known = chosenTypes.get(accept);
  if (known !== undefined) return known;
  const chosen = new Negotiator(request.raw).mediaType(mediaTypes);
  if (chosen === undefined) throw new HttpError(406, `Accept one of ${mediaTypes.join(', ')}.`);
  chosenTypes.set(accept, chosen);
  return chosen;
}

/** What a header that came before was answered with; callers send few different ones. */
const chosenTypes = new Lru<string, string>(100);

function sendShort(
  reply: FastifyReply,
  call: Call,
  mediaType: string | undefined,
  { status, body, retryAfterSeconds }: ShortAnswer,
): ShortAnswer['body'] {
  void reply
    .code(status)
    .header('content-type', mediaType)
    .header('cache-control', 'no-store')
    .header('behalf-operation-id', call.id);
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds));
  return body;
}

const statusOfRefusal = (told: BehalfError): number =>
  told instanceof HttpError ? told.status : statusOfError(told);

/** What the caller is told of an error that came up before or around Apollo Server. */
function asTold(error: unknown): BehalfError {
  if (error instanceof BehalfError) return error;
  // Only what is known to be the request's fault is told as such; anything else is a failure of ours.
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
