import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { outOfTime } from '../../core/errors.js';
import { rowOf, StatementFailed, type Outcome } from './statements.js';

export interface WorkerSettings {
  readonly path: string;
  readonly cacheKib: number;
  readonly mappedBytes: number;
}

/** A read-only statement, as it is sent to the thread. */
export interface ReadRequest {
  readonly id: number;
  readonly sql: string;
  readonly params: readonly unknown[];
  /** Milliseconds since 1970. */
  readonly untilMs: number;
}

/** Requests more rows of a statement that was answered in part. */
export interface MoreRowsRequest {
  readonly further: number;
}

export interface RowsPart {
  readonly rows: readonly (readonly unknown[])[];
  readonly isLast: boolean;
}

export type Answered = { readonly id: number } & (
  | (RowsPart & { readonly names?: readonly string[] })
  | {
      readonly failure: {
        readonly isLate: boolean;
        readonly message: string;
        readonly code: string | undefined;
      };
    }
);

/** Under test this module runs uncompiled, but a thread can load only the compiled one. */
const workerPath = fileURLToPath(new URL('./reading-worker.js', import.meta.url)).replace(
  /(?<!\/dist)\/src\/store\/drivers\/reading-worker\.js$/,
  '/dist/src/store/drivers/reading-worker.js',
);

interface Waiting {
  resolve(answered: Answered): void;
  reject(error: Error): void;
}

/**
 * Runs reads of SQLite in a separate thread over its own connection, one at a time. A read that looks at many
 * rows holds up only other reads of this thread. The thread starts with the first read.
 */
export class ReadingThread {
  private readonly waiting = new Map<number, Waiting>();
  private worker: Worker | undefined;
  private lastId = 0;

  constructor(private readonly settings: WorkerSettings) {}

  /** Ends at `untilMs`, in milliseconds since 1970, with `LIMIT_EXCEEDED`. */
  async run(sql: string, params: readonly unknown[], untilMs: number): Promise<Outcome> {
    this.lastId += 1;
    const id = this.lastId;
    let answered = await this.ask(id, { id, sql, params, untilMs } satisfies ReadRequest);
    const rows: Record<string, unknown>[] = [];
    const names = ('names' in answered ? answered.names : undefined) ?? [];
    for (;;) {
      if ('failure' in answered) {
        const { isLate, message, code } = answered.failure;
        throw isLate ? outOfTime() : new StatementFailed(Object.assign(new Error(message), { code }));
      }
      for (const values of answered.rows) rows.push(rowOf(names, values));
      if (answered.isLast) return { rows, affected: 0 };
      // Each part is handled in its own turn of the event loop.
      answered = await this.ask(id, { further: id } satisfies MoreRowsRequest);
    }
  }

  async close(): Promise<void> {
    const { worker } = this;
    if (worker === undefined) return;
    await new Promise<void>((resolve) => {
      worker.once('exit', () => {
        resolve();
      });
      worker.ref();
      worker.postMessage('close');
    });
  }

  private ask(id: number, question: ReadRequest | MoreRowsRequest): Promise<Answered> {
    const worker = (this.worker ??= this.start());
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage(question);
    });
  }

  private start(): Worker {
    // Modules preloaded into the process, such as by `--import`, are not for this thread.
    const worker = new Worker(workerPath, { workerData: this.settings, execArgv: [] });
    worker.on('message', (answered: Answered) => {
      this.waiting.get(answered.id)?.resolve(answered);
      this.waiting.delete(answered.id);
      // An idle thread must not keep the process alive.
      if (this.waiting.size === 0) worker.unref();
    });
    const fail = (error: Error): void => {
      if (this.worker === worker) this.worker = undefined;
      for (const one of this.waiting.values()) one.reject(new StatementFailed(error));
      this.waiting.clear();
    };
    worker.on('error', fail);
    worker.on('exit', () => {
      fail(new Error('The reading thread has ended.'));
    });
    return worker;
  }
}
