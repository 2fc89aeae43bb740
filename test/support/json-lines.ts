import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { OperationGate } from '../../src/operation/gate.js';

/**
 * Operations as lines of JSON over a socket: requests `{ token, …parameters }`, answers `{ operationId, status, body
 * }`.
 */
export async function serveJsonLines(gate: OperationGate): Promise<Server> {
  const server = createServer((socket: Socket) => {
    createInterface({ input: socket }).on('line', (line) => {
      const { token, ...body } = JSON.parse(line) as { token: string };
      const caller = {
        resource: '/graphql' as const,
        credentials: { scheme: 'Bearer', token } as const,
        proof: { method: '', target: '', jwt: undefined },
        address: socket.remoteAddress ?? 'unknown',
        userAgent: null,
        traceparent: undefined,
        line: socket,
      };
      void gate.run(caller, { kind: 'document', body }).then(({ operationId, status, body: told }) => {
        socket.write(`${JSON.stringify({ operationId, status, body: told.toString() })}\n`);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
