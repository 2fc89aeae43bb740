import type { ServerResponse } from 'node:http';
import { whenEnded } from '../transports/http/response-end.js';

/** Requests without an answer yet, in every part of the server. */
export class InFlight {
  /** Slots are used again: a `Set` would grow new tables, and each old table keeps its requests alive. */
  private readonly slots: (ServerResponse | undefined)[] = [];
  private readonly free: number[] = [];
  private isLast = false;

  /** Counts the request until its response has left or its connection is gone. */
  add(response: ServerResponse): void {
    const slot = this.free.pop() ?? this.slots.length;
    this.slots[slot] = response;
    if (this.isLast) response.shouldKeepAlive = false;
    whenEnded(response, () => {
      this.slots[slot] = undefined;
      this.free.push(slot);
    });
  }

  get size(): number {
    return this.slots.length - this.free.length;
  }

  /** From now on each answer closes its connection, also the answers to requests in flight. */
  closeConnections(): void {
    this.isLast = true;
    for (const response of this.slots) if (response?.headersSent === false) response.shouldKeepAlive = false;
  }
}
