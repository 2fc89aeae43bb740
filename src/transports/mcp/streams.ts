import { InMemoryServerEventBus } from '@modelcontextprotocol/server';
import type { FastifyReply } from 'fastify';
import type { BehalfError } from '../../core/errors.js';
import type { Arrival } from '../../operation/gate.js';
import type { SeenTools, ToolsWatch } from '../../operation/tools-watch.js';
import { HttpError } from '../http/http-error.js';
import { whenEnded } from '../http/response-end.js';

/** Open streams of `subscriptions/listen`. */
const streamsMax = 1_000;
/** Open streams of one person's tasks, so that nobody takes all the room. */
const streamsOfPersonMax = 100;
/** Open streams of one task. */
const streamsOfTaskMax = 10;
/** A client opens its stream again after so long, by rights as they stand then. */
const streamMsMax = 300_000;

/** One stream, from its request on. */
export interface Stream {
  /** Each stream has its own: what one caller's tools become is told to nobody else. */
  readonly bus: InMemoryServerEventBus;
  /** Aborted once, when the stream ends for whatever reason. */
  readonly gone: AbortController;
}

const unseen: SeenTools = { digest: '', version: -1 };

/**
 * Open streams. Their number is bounded by task, by person and by process, and none outlives the right to listen or the
 * server. They tell when the tools of their callers have changed.
 */
export class Streams {
  private readonly streams = new Set<Stream>();
  private readonly ofTask = new Tally();
  private readonly ofPerson = new Tally();
  private isEnded = false;

  constructor(private readonly toolsWatch: ToolsWatch) {}

  /** Counts a stream until it is gone; refuses one too many of the same task or person. */
  enter({ call }: Arrival, reply: FastifyReply): Stream | BehalfError {
    const { task, tokenId, chain } = call.authority;
    const holder = task?.delegationId ?? tokenId;
    const full = this.fullOf(holder, chain.person.id);
    if (full !== undefined) {
      void reply.header('retry-after', String(streamMsMax / 1000));
      return new HttpError(429, `${full} has too many streams open. Close one first.`);
    }
    const stream = { bus: new InMemoryServerEventBus(), gone: new AbortController() };
    this.streams.add(stream);
    this.ofTask.add(holder, 1);
    this.ofPerson.add(chain.person.id, 1);
    whenGone(stream, () => {
      this.streams.delete(stream);
      this.ofTask.add(holder, -1);
      this.ofPerson.add(chain.person.id, -1);
    });
    whenEnded(reply.raw, () => {
      stream.gone.abort();
    });
    if (this.isEnded) stream.gone.abort();
    return stream;
  }

  /** The narrowest of those that may have no more streams. */
  private fullOf(holder: string, personId: string): string | undefined {
    if (this.ofTask.of(holder) >= streamsOfTaskMax) return 'This task';
    if (this.ofPerson.of(personId) >= streamsOfPersonMax) return 'The person of this task';
    return this.streams.size >= streamsMax ? 'This server' : undefined;
  }

  /** Looks at the caller's tools before the stream is acknowledged, so that no later change is missed. */
  async see({ caller }: Arrival): Promise<SeenTools> {
    // A caller without a right is refused by the gate.
    return this.toolsWatch.see(caller).catch(() => unseen);
  }

  /** Tells of changes until the stream is gone; ends it with the right to listen. */
  open({ caller, call }: Arrival, stream: Stream, seen: SeenTools): void {
    const { bus, gone } = stream;
    if (gone.signal.aborted) return;
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
    }, leftMs).unref();
    whenGone(stream, () => {
      clearTimeout(timer);
      stop();
    });
  }

  /** Nobody waits for a stream when the server ends: its client opens another elsewhere. */
  endAll(): void {
    this.isEnded = true;
    for (const { gone } of this.streams) gone.abort();
  }
}

function whenGone({ gone }: Stream, release: () => void): void {
  gone.signal.addEventListener('abort', release, { once: true });
}

/** Counts for each key; those of 0 take no memory. */
class Tally {
  private readonly counts = new Map<string, number>();

  of(key: string): number {
    return this.counts.get(key) ?? 0;
  }

  add(key: string, change: 1 | -1): void {
    const count = this.of(key) + change;
    if (count > 0) this.counts.set(key, count);
    else this.counts.delete(key);
  }
}
