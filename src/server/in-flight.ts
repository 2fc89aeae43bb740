import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { whenEnded } from '../transports/http/response-end.js';

/** Requests without an answer yet, in every part of the server. */
export class InFlight {
  /** Slots are used again: a `Set` would grow new tables, and each old table keeps its requests alive. */
  private readonly slots: (ServerResponse | undefined)[] = [];
  private readonly free: number[] = [];
  /** Connections on which nothing was asked: Node does not take them for idle, and would wait for their requests. */
  private readonly silent = new Set<Socket>();
  private isLast = false;

  /** Learns of each connection when it is made. */
  watch(server: Server): void {
    server.on('connection', (socket) => {
      this.silent.add(socket);
      socket.once('close', () => this.silent.delete(socket));
    });
  }

  /** Counts the request until its response has left or its connection is gone. */
  add(response: ServerResponse): void {
    const slot = this.free.pop() ?? this.slots.length;
    this.slots[slot] = response;
    this.silent.delete(response.req.socket);
    if (this.isLast) response.shouldKeepAlive = false;
    whenEnded(response, () => {
      this.slots[slot] = undefined;
      this.free.push(slot);
    });
  }

  get size(): number {
    return this.slots.length - this.free.length;
  }

  /** Connections on which a request has not even begun. */
  closeSilent(): void {
    for (const socket of this.silent) if (socket.bytesRead === 0) socket.destroy();
  }

  /** From now on each answer closes its connection, also the answers to requests in flight. */
  closeConnections(): void {
    this.isLast = true;
    for (const response of this.slots) if (response?.headersSent === false) response.shouldKeepAlive = false;
  }
}
