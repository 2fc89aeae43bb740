import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../operation/callers.js';
import { checkOrigin, FormError } from '../../oauth/step/form.js';
import { SignedOut, Unavailable, Visitor, type AccountParts } from '../account/visitor.js';
import { callerOf } from '../http/caller.js';
import type { HttpOperations } from '../http/operations.js';
import { filesPath } from './files.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller of an explorer's operation. */
    explorer: Caller | undefined;
  }
}

/**
 * The operations of the explorer's page. They differ from those of `/graphql` in one thing: the caller is known by the
 * browser's sealed cookie, and only where the page of this very sign-in sent the request.
 */
export function explorerOperations(
  scope: FastifyInstance,
  operations: HttpOperations,
  parts: AccountParts,
): void {
  scope.decorateRequest('explorer', undefined);
  scope.addHook('onRequest', async (request, reply) => {
    try {
      request.explorer = await callerIn(parts, request, reply);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return reply.code(503).header('retry-after', String(error.retryAfterSeconds)).send(busy);
    }
  });
  operations.guard(scope, ({ explorer }) => {
    if (explorer === undefined) throw new Error('A request of the explorer came without its caller.');
    return explorer;
  });
  scope.post(filesPath, (request, reply) =>
    operations.answer(request, reply, { kind: 'document', body: request.body }),
  );
}

const busy = {
  errors: [{ message: 'The server has too much to do. Try again.', extensions: { code: 'LIMIT_EXCEEDED' } }],
};

/** Without credentials where the request is not from a page of this sign-in. A token in the head does not count here. */
async function callerIn(parts: AccountParts, request: FastifyRequest, reply: FastifyReply): Promise<Caller> {
  const caller = { ...callerOf(request, reply, '/graphql', parts), credentials: undefined };
  const { 'behalf-form': form, 'behalf-delegation': delegation } = request.headers;
  try {
    checkOrigin(request.raw, parts.publicUrl);
    const session = parts.cookies.sessionIn(request.headers.cookie);
    if (session === undefined || !parts.cookies.isFormOf(session, typeof form === 'string' ? form : null))
      return caller;
    const visitor = await Visitor.of(parts, request, reply);
    const credentials = { scheme: 'Bearer', token: visitor.session.access } as const;
    return { ...caller, credentials, inspects: typeof delegation === 'string' ? delegation : undefined };
  } catch (error) {
    if (error instanceof FormError || error instanceof SignedOut) return caller;
    throw error;
  }
}
