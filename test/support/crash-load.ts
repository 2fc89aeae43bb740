import { randomInt } from 'node:crypto';
import { at } from './administration.js';
import { postGraphQL, type Answer } from './server.js';

/** A request with a known effect: reading a product, or adding one to its stock under a key. */
export interface Job {
  readonly kind: 'query' | 'mutation';
  readonly key: string;
  readonly productId: string;
  readonly token: string;
}

/** A response with data that a client has received. */
export interface Acknowledged {
  readonly operationId: string;
  readonly job: Job;
  /** Of the movement in a mutation's answer. */
  readonly movementId: string | undefined;
}

const read = 'query Read($id: ID!) { product(id: $id) { id stock } }';
const add = `mutation Add($id: ID!, $key: String!) {
  adjustStock(productId: $id, quantity: 1, reason: $key, idempotencyKey: $key) { movement { id } } }`;

export const clientsMax = 16;

/** Sixteen clients that send one request after another. A request without an answer is sent again. */
export class Load {
  readonly acknowledged: Acknowledged[] = [];
  /** Answers without data, by their code. */
  readonly refused = new Map<string, number>();
  private readonly unanswered: (Job | undefined)[] = [];
  private readonly waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[] = [];
  private jobs = 0;
  private stopped = false;

  constructor(
    private readonly tokens: readonly string[],
    private readonly productIds: readonly string[],
    private readonly name: string,
  ) {}

  /** Runs until the server dies, or `stop`. After an answer without data a client waits for `recovered`. */
  async run(url: string, recovered: Promise<void> = Promise.resolve()): Promise<void> {
    this.stopped = false;
    const clients = Array.from({ length: clientsMax }, (_, client) => this.client(client, url, recovered));
    await Promise.all(clients);
  }

  /** Each client ends with its next answer. */
  stop(): void {
    this.stopped = true;
  }

  /** Resolves with the response that makes `isMet` true. */
  until(isMet: () => boolean): Promise<void> {
    return new Promise((resolve) => this.waiting.push({ isMet, resolve }));
  }

  private async client(client: number, url: string, recovered: Promise<void>): Promise<void> {
    while (!this.stopped) {
      const job = this.unanswered[client] ?? this.next(client);
      this.unanswered[client] = job;
      let answer: Answer;
      try {
        answer = await ask(url, job);
      } catch {
        // The server is dead, so it is not known whether the request was done.
        return;
      }
      const isAnswered = this.note(job, answer);
      this.tell();
      if (isAnswered) this.unanswered[client] = undefined;
      else await recovered;
    }
  }

  private next(client: number): Job {
    this.jobs += 1;
    return {
      kind: randomInt(2) === 0 ? 'query' : 'mutation',
      key: `${this.name}-${String(this.jobs)}`,
      productId: pick(this.productIds, randomInt(this.productIds.length)),
      token: pick(this.tokens, client),
    };
  }

  private note(job: Job, answer: Answer): boolean {
    const [error] = answer.errors;
    if (error !== undefined) {
      const code = JSON.stringify(error.extensions.code);
      if (answer.data !== undefined && answer.data !== null) throw new Error(`There is data beside ${code}.`);
      this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
      return false;
    }
    const movementId = job.kind === 'mutation' ? at(answer, 'adjustStock.movement.id') : undefined;
    this.acknowledged.push({
      operationId: answer.headers.get('behalf-operation-id') ?? '',
      job,
      movementId: typeof movementId === 'string' ? movementId : undefined,
    });
    return true;
  }

  private tell(): void {
    for (const waiting of this.waiting.filter(({ isMet }) => isMet())) {
      this.waiting.splice(this.waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }
}

const pick = <T>(values: readonly T[], index: number): T => {
  const value = values[index % values.length];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
};

const ask = (url: string, { kind, productId, key, token }: Job): Promise<Answer> =>
  postGraphQL(
    url,
    token,
    JSON.stringify(
      kind === 'query'
        ? { query: read, variables: { id: productId } }
        : { query: add, variables: { id: productId, key } },
    ),
  );
