import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../core/metrics.js';
import { addressIn } from '../core/client-address.js';

const forwarding = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];
const loopback = new Set(['127.0.0.1', '::1']);

/** True for a request from this machine that did not pass a proxy. */
const isLocal = ({ socket, headers }: IncomingMessage): boolean =>
  loopback.has(addressIn(socket.remoteAddress ?? '') ?? '') &&
  forwarding.every((name) => headers[name] === undefined);

/** Who may read the metrics: every client of the listener, this machine only, or no client. */
export type MetricsAccess = 'anyone' | 'local' | 'nobody';

/** `/metrics`. It shows how the business goes (how many operations of which outcome), so it is not for callers. */
export function metricsRoute(app: FastifyInstance, metrics: Metrics, access: MetricsAccess): void {
  app.get('/metrics', async (request, reply) => {
    if (access === 'nobody' || (access === 'local' && !isLocal(request.raw))) {
      return reply.code(403).send({
        error: 'forbidden',
        hint: 'Metrics have a listener of their own: set BEHALF_METRICS_PORT.',
      });
    }
    const text = await metrics.registry.metrics();
    return reply.header('cache-control', 'no-store').type(metrics.registry.contentType).send(text);
  });
}
