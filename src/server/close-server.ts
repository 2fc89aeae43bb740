import { setTimeout } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { InFlight } from './in-flight.js';

/** A request may be on its way on a connection that was just made. */
const silenceMs = 1_000;

/**
 * Closes a server without losing requests in flight. For `drainSeconds` it still takes requests, and each answer closes
 * its connection. Then it takes none, and waits up to `shutdownSeconds` for the rest; a connection on which nothing is
 * asked has a second to begin. Returns how many requests it had to cut off.
 */
export async function closeServer(
  server: FastifyInstance,
  inFlight: InFlight,
  { drainSeconds, shutdownSeconds }: { readonly drainSeconds: number; readonly shutdownSeconds: number },
): Promise<number> {
  inFlight.closeConnections();
  if (drainSeconds > 0) await setTimeout(drainSeconds * 1000);
  const isDone = new AbortController();
  const closed = server.close();
  void setTimeout(silenceMs, undefined, { signal: isDone.signal }).then(
    () => {
      inFlight.closeSilent();
    },
    () => undefined,
  );
  const cutting = setTimeout(shutdownSeconds * 1000, undefined, { signal: isDone.signal }).then(
    () => {
      const cut = inFlight.size;
      server.server.closeAllConnections();
      return cut;
    },
    () => 0,
  );
  await closed;
  isDone.abort();
  return cutting;
}
