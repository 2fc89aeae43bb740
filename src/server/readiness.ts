import type { Database } from '../store/sql/database.js';

/** A reason why the server is not ready; each code is stable. */
interface Problem {
  readonly code:
    'database_unreachable' | 'migrations_behind' | 'audit_queue_full' | 'draining' | 'chores_failing';
  readonly message: string;
}

const messages = {
  database_unreachable: 'The database does not answer.',
  migrations_behind: 'The database is behind on migrations: run `behalf migrate`.',
  audit_queue_full: 'Records of operations come faster than the database takes them.',
  draining: 'The server was asked to end and answers what is under way.',
  chores_failing:
    'Something that the server does beside its requests fails again and again: `behalf_chore_failures` says what, the log why.',
} as const satisfies Record<Problem['code'], string>;

const problem = (code: Problem['code']): Problem => ({ code, message: messages[code] });

/** How long the database may take to answer. */
const answerMs = 2_000;

/**
 * Whether the server should get requests. Failing chores do not count: requests do not need them, and they fail on
 * every replica alike.
 */
export const isReady = (problems: readonly Problem[]): boolean =>
  problems.every(({ code }) => code === 'chores_failing');

/** Whether the server can do its work. Checks that come at the same time share one query. */
export class Readiness {
  private draining = false;
  private asking: Promise<Problem[]> | undefined;

  constructor(
    private readonly database: Pick<Database, 'pendingMigrations'>,
    private readonly isAuditFull: () => boolean,
    private readonly isChoreFailing: () => boolean = () => false,
  ) {}

  /** From now on the server is not ready. */
  drain(): void {
    this.draining = true;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /** All problems; none where the server is ready. */
  async problems(): Promise<Problem[]> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return [
      ...(this.draining ? [problem('draining')] : []),
      ...(this.isAuditFull() ? [problem('audit_queue_full')] : []),
      ...(this.isChoreFailing() ? [problem('chores_failing')] : []),
      ...(await this.asking),
    ];
  }

  private async ask(): Promise<Problem[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error('no answer'));
      }, answerMs);
    });
    try {
      const pending = await Promise.race([this.database.pendingMigrations(), late]);
      return pending.length === 0 ? [] : [problem('migrations_behind')];
    } catch {
      return [problem('database_unreachable')];
    } finally {
      clearTimeout(timer);
    }
  }
}
