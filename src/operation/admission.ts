import { overloaded } from '../core/errors.js';
import type { Rejection } from '../core/metrics.js';

/** What a caller is connected by, as Node's responses and sockets tell it. */
export interface Line {
  readonly closed: boolean;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

/** The client went away while its request waited: nobody is there to be told anything. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

interface Waiting {
  readonly admit: () => void;
}

/**
 * How many operations run at once, and how many more wait for their turn, first come first served. Beyond that
 * a request is refused at once, so that load makes answers late but never the process large.
 */
export class Admission {
  private runningCount = 0;
  private readonly queue: Waiting[] = [];

  constructor(
    private readonly runningMax: number,
    private readonly waitingMax: number,
    private readonly onRejected: (reason: Rejection) => void,
  ) {}

  get state(): { readonly running: number; readonly waiting: number } {
    return { running: this.runningCount, waiting: this.queue.length };
  }

  /** Refuses before any work what would be refused after it. Throws `LIMIT_EXCEEDED` with limit `load`. */
  check(): void {
    if (this.queue.length < this.waitingMax || this.runningCount < this.runningMax) return;
    this.onRejected('queue_full');
    throw overloaded();
  }

  /**
   * Its turn, at once where nobody waits; what it gives ends the turn, and does so once. Rejects with `LIMIT_EXCEEDED` with limit `load`
   * where the queue is full, and with `ClientGone` where the line closes meanwhile.
   */
  enter(line: Line): (() => void) | Promise<() => void> {
    if (this.runningCount >= this.runningMax) return this.queued(line);
    this.runningCount += 1;
    return this.turn();
  }

  private async queued(line: Line): Promise<() => void> {
    this.check();
    if (line.closed) throw this.gone();
    await new Promise<void>((resolve, reject) => {
      const onClose = (): void => {
        const place = this.queue.indexOf(waiting);
        if (place !== -1) this.queue.splice(place, 1);
        reject(this.gone());
      };
      const waiting: Waiting = {
        admit: () => {
          line.off('close', onClose);
          resolve();
        },
      };
      line.once('close', onClose);
      this.queue.push(waiting);
    });
    return this.turn();
  }

  private gone(): ClientGone {
    this.onRejected('client_gone');
    return new ClientGone('The client went away.');
  }

  private turn(): () => void {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      // Its place is handed on, so that nobody who comes now can get in between.
      const next = this.queue.shift();
      if (next === undefined) {
        this.runningCount -= 1;
        return;
      }
      next.admit();
    };
  }
}
