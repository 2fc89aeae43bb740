import type { FastifyInstance } from 'fastify';
import { everyMethod, methodFault } from '../http/methods.js';
import type { HttpOperations } from '../http/operations.js';

/** `GET /graphql/schema.graphql`: the caller's view of the schema, as SDL. */
export function schemaRoute(scope: FastifyInstance, operations: HttpOperations): void {
  scope.route({
    method: everyMethod,
    url: '/graphql/schema.graphql',
    handler: (request, reply) => {
      const fault = methodFault(request, reply, ['GET']);
      return fault === undefined
        ? operations.answer(request, reply, { kind: 'schema' })
        : operations.refuse(request, reply, fault, { wanted: 'schema' });
    },
  });
}
