import type { FastifyReply } from 'fastify';
import type { BehalfError } from '../../core/errors.js';
import type { Arrival } from '../../operation/gate.js';
import { HttpError } from '../http/http-error.js';

/** Open streams of `subscriptions/listen`. */
export const streamsMax = 1_000;
/** Open streams of one task. */
const streamsOfTaskMax = 10;
/** A client opens its stream again after so long, by rights as they stand then. */
const streamMsMax = 300_000;

/** Streams of messages that are open: so many of each task, and none outlives the right to listen or the server. */
export class Streams {
  private readonly open = new Set<AbortController>();
  private readonly ofHolder = new Map<string, number>();

  /** Counts a stream until its connection closes; refuses one too many of the same task. */
  enter({ call }: Arrival, reply: FastifyReply): BehalfError | undefined {
    const { task, tokenId } = call.authority;
    const holder = task?.delegationId ?? tokenId;
    const open = this.ofHolder.get(holder) ?? 0;
    if (open >= streamsOfTaskMax) {
      void reply.header('retry-after', String(streamMsMax / 1000));
      return new HttpError(429, 'This task has too many streams open. Close one first.');
    }
    this.ofHolder.set(holder, open + 1);
    reply.raw.once('close', () => {
      const left = (this.ofHolder.get(holder) ?? 1) - 1;
      if (left > 0) this.ofHolder.set(holder, left);
      else this.ofHolder.delete(holder);
    });
    return undefined;
  }

  /** Ends a stream by `gone` when the right to listen ends, and with the server. */
  endInTime({ call }: Arrival, line: FastifyReply['raw'], gone: AbortController): void {
    const leftMs = Math.min(Math.max(0, call.authority.expiresAt - call.startedAt), streamMsMax);
    const timer = setTimeout(() => {
      gone.abort();
    }, leftMs);
    this.open.add(gone);
    line.once('close', () => {
      clearTimeout(timer);
      this.open.delete(gone);
    });
  }

  /** Nobody waits for a stream when the server ends: its client opens another elsewhere. */
  endAll(): void {
    for (const gone of this.open) gone.abort();
  }
}
