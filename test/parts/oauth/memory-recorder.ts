import type { AuthEvent, Recorder } from '../../../src/oauth/contract/dependencies.js';

/** Keeps what was recorded; breaks on demand. */
export class MemoryRecorder implements Recorder {
  readonly events: AuthEvent[] = [];
  isBroken = false;

  recordAuthEvent(event: AuthEvent): Promise<void> {
    if (this.isBroken) return Promise.reject(new Error('the disk is full'));
    this.events.push(event);
    return Promise.resolve();
  }

  recordAuthEventIn(_tx: unknown, event: AuthEvent): Promise<void> {
    return this.recordAuthEvent(event);
  }

  last(): AuthEvent | undefined {
    return this.events.at(-1);
  }
}
