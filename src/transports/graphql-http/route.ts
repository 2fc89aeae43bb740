import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { OperationRequest } from '../../operation/operation-request.js';
import { everyMethod, methodFault } from '../http/methods.js';
import type { HttpOperations } from '../http/operations.js';
import { mediaTypeFor } from './media-type.js';
import { parametersOfAddress } from './query-string.js';

/** `/graphql` (GraphQL over HTTP): parameters in the body, or in the address of a safe request. */
export function graphqlRoute(scope: FastifyInstance, operations: HttpOperations): void {
  scope.route({
    method: everyMethod,
    url: '/graphql',
    handler: (request, reply) => {
      const fault = methodFault(request, reply, ['GET', 'POST']);
      if (fault !== undefined) throw fault;
      const mediaType = mediaTypeFor(request.raw);
      return operations.answer(request, reply, requestIn(request), mediaType);
    },
  });
}

const requestIn = (request: FastifyRequest): OperationRequest =>
  request.method === 'GET'
    ? { kind: 'document', body: parametersOfAddress(request), isSafe: true }
    : { kind: 'document', body: request.body };
