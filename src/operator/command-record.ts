import { hostname, userInfo } from 'node:os';
import { emptyBody, whatOf, type AuditBody } from '../audit/record.js';
import type { Trail } from '../audit/trail.js';
import { isoTime, type Clock } from '../core/clock.js';
import { BehalfError } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import type { UserRow } from '../store/tables/identity.js';

/** The account of the operating system that runs the command. */
function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    // Containers have accounts without an entry.
    return `uid ${String(process.getuid?.() ?? 'unknown')}`;
  }
}

interface CommandEvent {
  /** As typed, without its arguments: `user create`. */
  readonly command: string;
  /** The person who decided; undefined where there was none yet. */
  readonly by: UserRow | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly trail: Trail;
  /** Never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The record of a command that changes something, with the person who decided and the operator who typed. */
export const commandRecord = (event: CommandEvent, error?: unknown): AuditBody => ({
  ...emptyBody,
  operationId: event.ids.next(),
  at: isoTime(event.clock.now()),
  kind: 'command',
  ...outcomeOf(error),
  ...whatOf(event.trail),
  chain:
    event.by === undefined
      ? null
      : {
          person: { id: event.by.id, name: event.by.name, displayName: event.by.displayName },
          agents: [],
        },
  operation: { name: event.command, type: null, documentHash: null },
  detail: { operator: operatorName(), host: hostname(), command: event.command, ...event.detail },
});

function outcomeOf(error: unknown): Pick<AuditBody, 'outcome' | 'errors'> {
  if (error === undefined) return { outcome: 'succeeded', errors: [] };
  const code = error instanceof BehalfError ? error.code : 'INTERNAL';
  return { outcome: code === 'FORBIDDEN' ? 'refused' : 'failed', errors: [{ code }] };
}
