import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Config } from '../config.js';
import type { Clock } from '../core/clock.js';
import type { Ids } from '../core/ids.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import type { Database } from '../store/sql/database.js';

/** The basic parts that every other part is built from. */
export interface Basics {
  readonly config: Config;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Open and migrated. */
  readonly database: Database;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly certificateOf: (request: IncomingMessage) => X509Certificate | undefined;
}
