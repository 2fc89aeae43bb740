import { clientKeyOf } from '../../core/client-address.js';
import type { AuthEvent, Recorder } from '../contract/dependencies.js';
import type { SlowDown } from './slow-down.js';

type Kind = AuthEvent['kind'];

/** Records refusals, but few of an address that causes too many, so that garbage cannot fill the log. */
export class RefusalRecords {
  constructor(
    private readonly refused: SlowDown,
    private readonly recorder: Recorder,
  ) {}

  /** Seconds until a refusal of this kind is recorded again for the address; 0 where that is now. */
  waitSeconds(kind: Kind, address: string): number {
    const key = keyOf(kind, address);
    return this.refused.waitSeconds(key, key);
  }

  /** Resolves to 0 where the refusal is recorded, otherwise to the seconds that the address should wait. */
  async record(event: AuthEvent & { readonly address: string }): Promise<number> {
    const waitSeconds = this.waitSeconds(event.kind, event.address);
    if (waitSeconds > 0) return waitSeconds;
    const key = keyOf(event.kind, event.address);
    this.refused.count(key, key);
    await this.recorder.recordAuthEvent(event);
    return 0;
  }
}

/** People and their provider may share an address: refused sign-ins do not hold up the provider's logouts. */
const keyOf = (kind: Kind, address: string): string => `${kind} ${clientKeyOf(address)}`;
