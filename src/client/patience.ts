import { refusalIn, retryAfterSecondsOf } from './agent-error.js';

/** Time as the client sees it. */
export interface Timing {
  readonly now: () => number;
  /** Waits; ends early, with the signal's reason, where the signal fires. */
  readonly wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Fires after this time. */
  readonly timeout: (ms: number) => AbortSignal;
}

export const realTiming: Timing = {
  now: () => Date.now(),
  timeout: (ms) => AbortSignal.timeout(ms),
  wait: (ms, signal) =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      if (signal?.aborted === true) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    }),
};

/** How often one request is sent at most. */
const attemptsMax = 5;

/** How long one request may still wait, and how often it may still be sent. */
export class Patience {
  private attempts = 1;

  constructor(
    private readonly timing: Timing,
    private msLeft: number,
    private readonly signal?: AbortSignal,
  ) {}

  /** Whether it waited the time that the server names. False, at once, where that is none or too long. */
  async waitsFor(response: Response): Promise<boolean> {
    const seconds = retryAfterSecondsOf(response, this.timing.now());
    return seconds !== undefined && (await this.waits(seconds * 1000));
  }

  async waits(ms: number): Promise<boolean> {
    if (ms > this.msLeft || this.attempts >= attemptsMax) return false;
    this.attempts += 1;
    this.msLeft -= ms;
    await this.timing.wait(ms, this.signal);
    return true;
  }
}

/** Whether the server refused for now: too many requests, or too much to do. */
export const isForNow = ({ status }: Response): boolean => status === 429 || status === 503;

/**
 * Whether a refusal for now is a reason to send the operation again. A spent budget stays spent. What is not repeatable
 * goes out again only where the server says that it did nothing.
 */
export async function maySendAgain(response: Response, isRepeatable: boolean): Promise<boolean> {
  const { code, limit } = await refusalIn(response.clone());
  if (code === 'LIMIT_EXCEEDED') return limit === 'load' || limit === 'rate';
  return isRepeatable || response.status === 429;
}
