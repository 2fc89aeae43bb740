/** An error in an answer. */
export interface Fault {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

interface Body {
  readonly data?: unknown;
  readonly errors?: readonly Fault[];
}

/** The answer of `/graphql`. */
export class Answer {
  readonly data: unknown;
  readonly errors: readonly Fault[];

  constructor(
    readonly status: number,
    /** The body's bytes. */
    readonly text: string,
    /** Finds the record of the operation. */
    readonly operationId: string,
  ) {
    const body = JSON.parse(text) as Body;
    this.data = body.data;
    this.errors = body.errors ?? [];
  }

  get code(): unknown {
    return this.errors[0]?.extensions.code;
  }

  /** The value at a path such as `ticket.customer.name`; throws where the path does not exist. */
  at(path: string): unknown {
    let value: unknown = this.data;
    for (const name of path.split('.')) {
      if (typeof value !== 'object' || value === null) {
        throw new Error(`there is nothing at ${path}, but ${this.inWords()}`);
      }
      value = (value as Readonly<Record<string, unknown>>)[name];
    }
    return value;
  }

  textAt(path: string): string {
    const value = this.at(path);
    if (typeof value === 'string') return value;
    throw new Error(`there is no text at ${path}, but ${this.inWords()}`);
  }

  listAt(path: string): readonly Readonly<Record<string, unknown>>[] {
    const value = this.at(path);
    if (Array.isArray(value)) return value as Readonly<Record<string, unknown>>[];
    throw new Error(`there is no list at ${path}, but ${this.inWords()}`);
  }

  /** Status and body without the operation's id, which differs each time. */
  apartFromId(): string {
    return `${String(this.status)} ${this.text.replaceAll(this.operationId, 'operation-id')}`;
  }

  /** The first error, or the data. */
  inWords(): string {
    const [fault] = this.errors;
    return fault === undefined ? JSON.stringify(this.data) : `${String(this.code)}: ${fault.message}`;
  }
}

/** Sends one operation with a bearer token (RFC 6750). */
export async function ask(
  server: string,
  token: string,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  const response = await fetch(`${server}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'user-agent': 'behalf-demo',
    },
    body: JSON.stringify({ query, variables }),
  });
  return new Answer(
    response.status,
    await response.text(),
    response.headers.get('behalf-operation-id') ?? 'none',
  );
}
