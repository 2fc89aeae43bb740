import type { ServerResponse } from 'node:http';

/** Requests that have no answer yet, whichever part of the server answers them. */
export class InFlight {
  /** By places that are taken again. Each table that a `Set` leaves behind would hold on to who was in it. */
  private readonly places: (ServerResponse | undefined)[] = [];
  private readonly free: number[] = [];
  private isLast = false;

  /** Until its response has left or its connection is gone. */
  add(response: ServerResponse): void {
    const place = this.free.pop() ?? this.places.length;
    this.places[place] = response;
    if (this.isLast) response.shouldKeepAlive = false;
    response.once('close', () => {
      this.places[place] = undefined;
      this.free.push(place);
    });
  }

  get size(): number {
    return this.places.length - this.free.length;
  }

  /** Each answer from now on says that its connection closes, those under way included. */
  closeConnections(): void {
    this.isLast = true;
    for (const response of this.places) if (response?.headersSent === false) response.shouldKeepAlive = false;
  }
}
