import type { Logger } from '../../core/logger.js';
import type { Database } from '../../store/sql/database.js';
import type { Consumer } from './consumer.js';
import { Follower } from './follower.js';
import { placeRecords } from './sequencer.js';

/**
 * Does the work that follows committed records. Every record gets a position, and each consumer follows the
 * positions with a durable cursor of its own, so a run that is interrupted, repeated or concurrent with another
 * replica's loses nothing. A record is forgotten here when all consumers have passed it.
 */
export class Outbox {
  private readonly followers: ReadonlyMap<string, Follower>;

  constructor(
    private readonly database: Pick<Database, 'read' | 'transaction'>,
    consumers: readonly Consumer[],
    logger: Pick<Logger, 'error'>,
  ) {
    this.followers = new Map(consumers.map((one) => [one.name, new Follower(database, one, logger)]));
  }

  /** The number of records that a consumer had not handled at the last look. */
  waiting(consumer: string): number {
    return this.followers.get(consumer)?.waiting ?? 0;
  }

  /** Leads every consumer to the end of the sequence. One that fails holds up no other; its error is thrown at the end. */
  async run(signal?: AbortSignal): Promise<void> {
    await placeRecords(this.database, signal);
    const errors: unknown[] = [];
    for (const follower of this.followers.values()) {
      await follower.run(signal).catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 1) throw new AggregateError(errors, 'Several consumers of the outbox failed.');
    if (errors.length > 0) throw errors[0];
  }
}
