import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Sends one request of HTTP, with the token that it needs. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

interface Message {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: {
    readonly name?: string;
    readonly uri?: string;
    readonly _meta?: Readonly<Record<string, unknown>>;
    readonly protocolVersion?: string;
  };
}

const versionKey = 'io.modelcontextprotocol/protocolVersion';

/** Passes messages of MCP from lines of text to HTTP (Streamable HTTP), and the answers back. */
export class StdioBridge {
  /** The revision that a client of 2025 agreed upon with its first message. */
  private agreed: string | undefined;

  constructor(
    private readonly url: string,
    private readonly send: Send,
    private readonly out: Writable,
  ) {}

  /** Resolves when the input has ended and every message has its answer. */
  async run(input: Readable): Promise<void> {
    const open = new Set<Promise<void>>();
    for await (const line of createInterface({ input })) {
      if (line.trim() === '') continue;
      const message = messageIn(line);
      const answering = this.pass(line, message).finally(() => open.delete(answering));
      open.add(answering);
      // It agrees upon the revision of the messages that follow.
      if (message?.method === 'initialize') await answering;
    }
    await Promise.all(open);
  }

  private async pass(line: string, message: Message | undefined): Promise<void> {
    if (message === undefined) {
      this.write(failure(null, -32_700, 'This line is not JSON.'));
      return;
    }
    const { id = null, method } = message;
    // An answer is passed on when it has ended, and this one is an open stream.
    if (method === 'subscriptions/listen') {
      this.write(failure(id, -32_601, 'Method not found'));
      return;
    }
    try {
      const headers = this.headersOf(message);
      const response = await this.send(this.url, { method: 'POST', headers, body: line });
      for (const answer of answersIn(response.headers.get('content-type'), await response.text())) {
        this.note(message, answer);
        this.write(answer);
      }
    } catch (error) {
      const { message: why } = error as Error;
      if (message.id !== undefined) this.write(failure(message.id, -32_000, why));
    }
  }

  private headersOf({ method, params }: Message): Record<string, string> {
    const version = params?._meta?.[versionKey] ?? this.agreed;
    const name = params?.name ?? params?.uri;
    return {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(typeof version === 'string' ? { 'mcp-protocol-version': version } : {}),
      ...(typeof method === 'string' ? { 'mcp-method': method } : {}),
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    };
  }

  private note({ method }: Message, answer: string): void {
    if (method !== 'initialize') return;
    const { result } = JSON.parse(answer) as { result?: { protocolVersion?: string } };
    this.agreed = result?.protocolVersion;
  }

  private write(text: string): void {
    this.out.write(`${text}\n`);
  }
}

function messageIn(line: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The messages in a body, each on one line: of JSON, or of an event stream. */
function answersIn(type: string | null, body: string): readonly string[] {
  if (body.trim() === '') return [];
  const texts = type?.startsWith('text/event-stream')
    ? body.split(/\r?\n\r?\n/).map((event) =>
        event
          .split(/\r?\n/)
          .flatMap((line) => /^data: ?(.*)$/.exec(line)?.[1] ?? [])
          .join('\n'),
      )
    : [body];
  return texts.filter((text) => text.trim() !== '').map((text) => JSON.stringify(JSON.parse(text)));
}

const failure = (id: string | number | null, code: number, message: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } });
