import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BehalfError } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import { errorBody, statusOfError } from '../graphql/errors.js';
import { ClientGone, type Admission } from './admission.js';
import type { Rejections } from './rejections.js';

export interface LoadParts {
  readonly admission: Admission;
  /** Of requests that were refused for load. */
  readonly refusedForLoad: Rejections;
  readonly ids: Ids;
  readonly addressOf: (request: IncomingMessage) => string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Once it is its turn. */
    endTurn: (() => void) | undefined;
  }
}

/** Says when to come again, where the error does. */
export function retryAfter(reply: FastifyReply, { details }: BehalfError): void {
  if (details.retryAfterSeconds !== undefined) void reply.header('retry-after', details.retryAfterSeconds);
}

/**
 * Back-pressure. Before authentication: a request that would find no place is refused at once, by nobody's name.
 * After its body has come: it takes its turn, so that a slow body holds no place. The turn ends when the answer
 * is ready, so that a slow reader holds none either. Who is refused is recorded in aggregate.
 */
export function limitLoad(
  scope: FastifyInstance,
  { admission, refusedForLoad, ids, addressOf }: LoadParts,
): void {
  scope.decorateRequest('endTurn', undefined);
  const refuse = (request: FastifyRequest, reply: FastifyReply, id: string, error: unknown): FastifyReply => {
    // Nobody is there to be told; the reply only ends the request's life here.
    if (error instanceof ClientGone) return reply.code(499).send();
    if (!(error instanceof BehalfError)) throw error;
    refusedForLoad.note(addressOf(request.raw), error.code);
    retryAfter(reply, error);
    void reply.header('cache-control', 'no-store').header('behalf-operation-id', id);
    return reply.code(statusOfError(error)).send(errorBody(error, id));
  };
  scope.addHook('onRequest', (request, reply, done) => {
    try {
      admission.check();
    } catch (error) {
      void refuse(request, reply, ids.next(), error);
      return;
    }
    done();
  });
  scope.addHook('preHandler', (request, reply, done) => {
    const { call } = request;
    if (call === undefined) {
      done();
      return;
    }
    const refused = (error: unknown): void => {
      call.recorded = true;
      void refuse(request, reply, call.id, error);
    };
    const enter = (endTurn: () => void): void => {
      request.endTurn = endTurn;
      call.marks.admitted = performance.now();
      done();
    };
    const turn = admission.enter(reply.raw);
    if (turn instanceof Promise) turn.then(enter, refused);
    else enter(turn);
  });
  scope.addHook('onSend', (request, _reply, payload, done) => {
    request.endTurn?.();
    done(null, payload);
  });
}
