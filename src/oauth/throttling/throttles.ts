import type { OAuthDependencies } from '../contract/dependencies.js';
import { UserCodes } from '../device/user-codes.js';
import type { CacheState } from '../../core/lru.js';
import { Polls } from './polls.js';
import { RefusalRecords } from './refusal-records.js';
import { RequestLimits } from './request-limits.js';
import { SlowDown } from './slow-down.js';

/** All that slows down requests of strangers and clients, each kind counted for itself. */
export class Throttles {
  readonly begun: SlowDown;
  readonly refused: SlowDown;
  readonly refusals: RefusalRecords;
  /** Of the authorization endpoint alone. */
  readonly requestRefusals: RefusalRecords;
  readonly limits: RequestLimits;
  readonly userCodes: UserCodes;
  readonly polls: Polls;
  private readonly requestsRefused: SlowDown;

  constructor({ clock, settings, recorder, addressOf }: OAuthDependencies) {
    const { issuer, limits } = settings;
    this.begun = new SlowDown(clock, limits.begunPerAddress);
    this.refused = new SlowDown(clock, limits.refusedPerAddress);
    this.requestsRefused = new SlowDown(clock, limits.refusedPerAddress);
    this.refusals = new RefusalRecords(this.refused, recorder);
    this.requestRefusals = new RefusalRecords(this.requestsRefused, recorder);
    this.limits = new RequestLimits(clock, limits, addressOf);
    this.userCodes = new UserCodes({ clock, issuer, recorder, addressOf, limits });
    this.polls = new Polls(clock);
  }

  get caches(): Readonly<Record<string, CacheState>> {
    return {
      sign_ins_begun: this.begun.lines,
      token_requests_refused: this.refused.lines,
      authorization_requests_refused: this.requestsRefused.lines,
      token_requests: this.limits.tokens.lines,
      introspections: this.limits.introspections.lines,
      user_codes_by_address: this.userCodes.perAddress.lines,
      user_codes_together: this.userCodes.together.lines,
      device_polls: this.polls.due,
    };
  }
}
