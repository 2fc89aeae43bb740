import { overloaded } from '../core/errors.js';
import type { Rejection } from '../core/metrics.js';

/** The caller's connection, as Node's responses and sockets describe it. */
export interface Line {
  readonly closed: boolean;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

/** The client closed its connection while its request waited, so there is no one to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

interface Waiting {
  readonly admit: () => void;
}

/**
 * Limits how many operations run at once and how many wait, first come first served. Beyond that a request is refused
 * at once, so that load makes answers late but never the process large.
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

  /** Refuses for load before any other work. Throws `LIMIT_EXCEEDED` with limit `load`. */
  check(): void {
    if (this.queue.length < this.waitingMax || this.runningCount < this.runningMax) return;
    this.onRejected('queue_full');
    throw overloaded();
  }

  /**
   * Waits for a turn; without a queue it comes at once. The result ends the turn, once. Rejects with `LIMIT_EXCEEDED`
   * with limit `load` where the queue is full, and with `ClientGone` where the line closes while it waits.
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
        const index = this.queue.indexOf(waiting);
        if (index !== -1) this.queue.splice(index, 1);
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
      // The turn passes to the next in the queue, so that a newcomer cannot take it.
      const next = this.queue.shift();
      if (next === undefined) {
        this.runningCount -= 1;
        return;
      }
      next.admit();
    };
  }
}
