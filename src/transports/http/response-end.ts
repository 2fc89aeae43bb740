import type { ServerResponse } from 'node:http';

/**
 * Calls `end` once: when the response has left, or its connection is gone. Node emits `close` only on the first of the
 * responses that wait on a connection, so the others listen to the connection itself.
 */
export function whenEnded(response: ServerResponse, end: () => void): void {
  const { socket } = response.req;
  if (response.closed || socket.destroyed) {
    end();
    return;
  }
  const ended = (): void => {
    response.off('close', ended);
    socket.off('close', ended);
    end();
  };
  response.once('close', ended);
  if (response.socket === null) socket.setMaxListeners(0).once('close', ended);
}
