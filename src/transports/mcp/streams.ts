import { InMemoryServerEventBus } from '@modelcontextprotocol/server';
import type { FastifyReply } from 'fastify';
import type { BehalfError } from '../../core/errors.js';
import type { Arrival } from '../../operation/gate.js';
import type { SeenTools, ToolsWatch } from '../../operation/tools-watch.js';
import { HttpError } from '../http/http-error.js';

/** Open streams of `subscriptions/listen`. */
const streamsMax = 1_000;
/** Open streams of one task. */
const streamsOfTaskMax = 10;
/** A client opens its stream again after so long, by rights as they stand then. */
const streamMsMax = 300_000;

/** A stream before it is open. */
export interface Stream {
  /** Each stream has its own: what one caller's tools become is told to nobody else. */
  readonly bus: InMemoryServerEventBus;
  readonly seen: SeenTools;
}

const unseen: SeenTools = { digest: '', version: -1 };

/**
 * Streams of messages that are open: so many of each task, and none outlives the right to listen or the server. They
 * tell when the tools of their callers have changed.
 */
export class Streams {
  private readonly ends = new Set<AbortController>();
  private count = 0;
  private readonly ofHolder = new Map<string, number>();

  constructor(private readonly toolsWatch: ToolsWatch) {}

  /** Counts a stream until its connection closes; refuses one too many of the same task. */
  enter({ call }: Arrival, reply: FastifyReply): BehalfError | undefined {
    const { task, tokenId } = call.authority;
    const holder = task?.delegationId ?? tokenId;
    const open = this.ofHolder.get(holder) ?? 0;
    const isFull = this.count >= streamsMax;
    if (isFull || open >= streamsOfTaskMax) {
      void reply.header('retry-after', String(streamMsMax / 1000));
      const whose = isFull ? 'This server' : 'This task';
      return new HttpError(429, `${whose} has too many streams open. Close one first.`);
    }
    this.count += 1;
    this.ofHolder.set(holder, open + 1);
    reply.raw.once('close', () => {
      this.count -= 1;
      const left = (this.ofHolder.get(holder) ?? 1) - 1;
      if (left > 0) this.ofHolder.set(holder, left);
      else this.ofHolder.delete(holder);
    });
    return undefined;
  }

  /** Looks at the caller's tools before the stream is acknowledged, so that no later change is missed. */
  async prepare({ caller }: Arrival): Promise<Stream> {
    // A caller without a right is refused by the gate.
    const seen = await this.toolsWatch.see(caller).catch(() => unseen);
    return { bus: new InMemoryServerEventBus(), seen };
  }

  /** Tells of changes until the line closes. Ends a stream by `gone` with the right to listen, and with the server. */
  open(
    { caller, call }: Arrival,
    { bus, seen }: Stream,
    line: FastifyReply['raw'],
    gone: AbortController,
  ): void {
    if (line.closed) return;
    const stop = this.toolsWatch.watch(caller, seen, {
      changed: () => {
        bus.publish({ kind: 'tools_list_changed' });
      },
      ended: () => {
        gone.abort();
      },
    });
    const leftMs = Math.min(Math.max(0, call.authority.expiresAt - call.startedAt), streamMsMax);
    const timer = setTimeout(() => {
      gone.abort();
    }, leftMs);
    this.ends.add(gone);
    line.once('close', () => {
      clearTimeout(timer);
      stop();
      this.ends.delete(gone);
    });
  }

  /** Nobody waits for a stream when the server ends: its client opens another elsewhere. */
  endAll(): void {
    for (const gone of this.ends) gone.abort();
  }
}
