import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BehalfError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Releases } from '../delegation/release.js';
import { standingOf, type Annotations } from '../graphql/annotate.js';
import { asFinished } from '../graphql/as-finished.js';
import type { Call } from '../graphql/call.js';
import { everyMethod, requireMethod } from './methods.js';

export interface SchemaRouteParts {
  readonly annotations: Annotations;
  readonly releases: Releases;
  readonly logger: Logger;
}

/** No GraphQL operation can have this name, so records of it are found by it. */
const operationName = 'schema.graphql';

/**
 * `GET /graphql/schema.graphql`: what the caller's introspection tells, as SDL. It is to be registered among
 * the hooks of `/graphql`, which let nobody in without a live authority and nothing out without a record.
 */
export function schemaRoute(
  scope: FastifyInstance,
  { annotations, releases, logger }: SchemaRouteParts,
  callOf: (request: FastifyRequest) => Call,
): void {
  scope.route({
    method: everyMethod,
    url: '/graphql/schema.graphql',
    handler: async (request, reply) => {
      const call = callOf(request);
      call.operationName = operationName;
      requireMethod(request, reply, ['GET']);
      call.operationType = 'query';
      const sdl = annotations.sdl(call.authority.ceiling, standingOf(call.authority));
      void reply.header('behalf-operation-id', call.id).header('cache-control', 'no-store');
      const refusal = await releases.release(asFinished(call, [], true)).catch((error: unknown) => {
        logger.error({ operationId: call.id, err: error }, 'no record');
        // The hooks would only try the same again.
        call.unrecorded(error instanceof BehalfError ? error.code : 'INTERNAL');
        throw error;
      });
      call.recorded = true;
      if (refusal !== undefined) throw refusal;
      return reply.type('text/plain; charset=utf-8').send(sdl);
    },
  });
}
