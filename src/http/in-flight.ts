import type { ServerResponse } from 'node:http';

/** Requests that have no answer yet, whichever part of the server answers them. */
export class InFlight {
  private readonly responses = new Set<ServerResponse>();
  private isLast = false;

  /** Until its response has left or its connection is gone. */
  add(response: ServerResponse): void {
    this.responses.add(response);
    if (this.isLast) response.shouldKeepAlive = false;
    response.once('close', () => this.responses.delete(response));
  }

  get size(): number {
    return this.responses.size;
  }

  /** Each answer from now on says that its connection closes, those under way included. */
  closeConnections(): void {
    this.isLast = true;
    for (const response of this.responses) if (!response.headersSent) response.shouldKeepAlive = false;
  }
}
