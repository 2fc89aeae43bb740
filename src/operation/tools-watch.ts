import { BehalfError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Caller } from './callers.js';

/** The tools of a caller at one moment. */
export interface SeenTools {
  /** Equal for equal lists. */
  readonly digest: string;
  /** The version of all rights by which they were listed. */
  readonly version: number;
}

export interface ToolsListener {
  /** The list is not the one that it was. */
  changed(): void;
  /** The caller has no right to listen any more. */
  ended(): void;
}

interface ToolsWatchParts {
  /** The version of all rights. */
  readonly version: () => Promise<number>;
  /** By live rights. Throws `UNAUTHENTICATED` where the caller has none any more. */
  readonly toolsOf: (caller: Caller) => Promise<SeenTools>;
  readonly logger: Logger;
  readonly pauseMs?: number;
}

interface Watched {
  readonly caller: Caller;
  readonly listener: ToolsListener;
  seen: SeenTools;
}

const usualPauseMs = 2_000;

/**
 * Tells open streams when the tools of their callers have changed. While there are streams, the version of all rights is
 * read every two seconds; where it has moved, callers are looked at one after the other. Changes by any process move it.
 */
export class ToolsWatch {
  private readonly watched = new Set<Watched>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: ToolsWatchParts) {}

  /** The tools of a caller now, to begin with. */
  see(caller: Caller): Promise<SeenTools> {
    return this.parts.toolsOf(caller);
  }

  /** Begins; the result ends it. */
  watch(caller: Caller, seen: SeenTools, listener: ToolsListener): () => void {
    const one: Watched = { caller, listener, seen };
    this.watched.add(one);
    this.timer ??= this.later();
    return () => {
      this.watched.delete(one);
    };
  }

  /** Looks at all callers once. */
  async look(): Promise<void> {
    const version = await this.parts.version();
    const failures: unknown[] = [];
    for (const one of this.watched) {
      if (one.seen.version === version) continue;
      await this.lookAt(one).catch((error: unknown) => {
        failures.push(error);
      });
    }
    if (failures.length > 0)
      throw new AggregateError(failures.slice(0, 1), 'Callers could not be looked at.');
  }

  private async lookAt(one: Watched): Promise<void> {
    try {
      const { digest } = one.seen;
      one.seen = await this.parts.toolsOf(one.caller);
      if (one.seen.digest !== digest && this.watched.has(one)) one.listener.changed();
    } catch (error) {
      if (!(error instanceof BehalfError && error.code === 'UNAUTHENTICATED')) throw error;
      if (this.watched.delete(one)) one.listener.ended();
    }
  }

  private later(): NodeJS.Timeout {
    const { pauseMs = usualPauseMs, logger } = this.parts;
    const next = async (): Promise<void> => {
      await this.look().catch((error: unknown) => {
        logger.error({ err: error }, 'the tools of open streams could not be looked at');
      });
      this.timer = this.watched.size === 0 ? undefined : this.later();
    };
    return setTimeout(() => void next(), pauseMs).unref();
  }
}
