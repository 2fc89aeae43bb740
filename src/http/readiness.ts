import type { Database } from '../store/database.js';

/** Why the server should get no requests now; each code is stable. */
export interface Problem {
  readonly code: 'database_unreachable' | 'migrations_behind' | 'audit_queue_full' | 'draining';
  readonly message: string;
}

const messages = {
  database_unreachable: 'The database does not answer.',
  migrations_behind: 'The database is behind on migrations: run `behalf migrate`.',
  audit_queue_full: 'Records of operations come faster than the database takes them.',
  draining: 'The server was asked to end and answers what is under way.',
} as const satisfies Record<Problem['code'], string>;

const problem = (code: Problem['code']): Problem => ({ code, message: messages[code] });

/** How long the database may take to say that it is there. */
const answerMs = 2_000;

/** Whether the server can do its work. However many ask at once, the database is asked once. */
export class Readiness {
  private draining = false;
  private asking: Promise<Problem[]> | undefined;

  constructor(
    private readonly database: Pick<Database, 'pendingMigrations'>,
    private readonly isAuditFull: () => boolean,
  ) {}

  /** From now on the server is not ready, whatever else holds. */
  drain(): void {
    this.draining = true;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /** Everything that is wrong; nothing where it is ready. */
  async problems(): Promise<Problem[]> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return [
      ...(this.draining ? [problem('draining')] : []),
      ...(this.isAuditFull() ? [problem('audit_queue_full')] : []),
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
