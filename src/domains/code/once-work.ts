/**
 * The work of a mutation's `once`. Code writes while it runs and at no other time, so that a key that comes again writes
 * nothing.
 */
export class OnceWork {
  private state: 'expected' | 'asked' | 'running' | 'over' = 'expected';
  private failure: { readonly error: unknown } | undefined;
  private readonly writes = new Set<Promise<unknown>>();

  /** @param key the caller's `idempotencyKey` */
  constructor(
    private readonly mutation: string,
    private readonly key: unknown,
  ) {}

  /** Throws where it was asked for before, or for another key. @param once gives the first answer, or runs what it gets */
  async ask<T>(key: string, once: () => Promise<T>): Promise<T> {
    if (this.state !== 'expected') throw new Error(`Mutation.${this.mutation} calls \`once\` a second time.`);
    if (key !== this.key)
      throw new Error(
        `Mutation.${this.mutation} gives \`once\` another key than its caller's idempotencyKey.`,
      );
    this.state = 'asked';
    try {
      return await once();
    } catch (error) {
      this.failure = { error };
      throw error;
    } finally {
      this.state = 'over';
    }
  }

  /** Throws where the work leaves a write behind, which the record might miss. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.state = 'running';
    try {
      const answer = await work();
      if (this.writes.size === 0) return answer;
      throw new Error(`Mutation.${this.mutation} answers before all that it writes is written: await it.`);
    } finally {
      this.state = 'asked';
    }
  }

  /** Throws where the work does not run. */
  async write<T>(change: () => Promise<T>): Promise<T> {
    if (this.state !== 'running')
      throw new Error(
        `Mutation.${this.mutation} locks and writes only in the work that it gives to \`once\`.`,
      );
    const write = change();
    this.writes.add(write);
    try {
      return await write;
    } finally {
      this.writes.delete(write);
    }
  }

  /** Throws where a mutation answers without it, before it, or in spite of its error. */
  check(): void {
    if (this.failure !== undefined) throw this.failure.error;
    if (this.state === 'over') return;
    throw new Error(
      `Mutation.${this.mutation} answers without the answer of operation.once, so its idempotencyKey has no effect.`,
    );
  }
}
