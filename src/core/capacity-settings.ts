import { integer } from './setting-kinds.js';

/** The settings about how much the server takes at once, and for how long. */
export const capacitySettings = {
  BEHALF_POOL_SIZE: integer(2, 500).default(10).describe('Connections to MySQL.'),
  BEHALF_POOL_QUEUE_MAX: integer(1, 1_000_000)
    .default(10_000)
    .describe(
      'How many statements may wait for a connection to MySQL; operations that would make it more are refused with 503.',
    ),
  BEHALF_STATEMENT_SECONDS: integer(0, 3600)
    .default(10)
    .describe(
      'How long one statement of the server may run before it is ended (in MySQL only what reads; on SQLite only long reads); 0 for ever. Commands are not bound by it.',
    ),
  BEHALF_OPERATION_SECONDS: integer(1, 3600)
    .default(30)
    .describe('How long after its arrival an operation may still ask the database for anything.'),
  BEHALF_OPERATIONS_AT_ONCE: integer(1, 10_000).default(128).describe('How many operations run at once.'),
  BEHALF_OPERATIONS_WAITING: integer(0, 100_000)
    .default(1_000)
    .describe('How many more may wait for their turn; beyond that a request is refused with 503 at once.'),
  BEHALF_CONNECTIONS_MAX: integer(1, 1_000_000)
    .default(10_000)
    .describe('How many connections callers may hold; further ones are closed at once.'),
  BEHALF_KEEP_ALIVE_SECONDS: integer(1, 3600)
    .default(65)
    .describe(
      'How long an idle connection is kept. Let it be longer than the idle time of a load balancer before the server.',
    ),
  BEHALF_HEADERS_SECONDS: integer(1, 600)
    .default(10)
    .describe('How long the headers of a request may take to arrive.'),
  BEHALF_REQUEST_SECONDS: integer(1, 3600)
    .default(30)
    .describe('How long a whole request, its body included, may take to arrive.'),
  BEHALF_DRAIN_SECONDS: integer(0, 600)
    .default(0)
    .describe(
      'How long the server goes on taking requests after a signal, while `/readyz` says that it is draining, so that load balancers notice first.',
    ),
  BEHALF_SHUTDOWN_SECONDS: integer(1, 3600)
    .default(25)
    .describe('How long, after that, what is under way may take before the server ends anyway.'),
} as const;
