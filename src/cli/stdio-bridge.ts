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

/** Of JSON-RPC, or a refusal of the server before it read a message. */
interface Answer {
  readonly jsonrpc?: string;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly result?: { readonly protocolVersion?: string };
  readonly error?: object;
  readonly errors?: readonly { readonly message?: string; readonly extensions?: object }[];
}

/** Of the range that JSON-RPC 2.0 leaves to servers. */
const refusedCode = -32_000;

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
    for await (const line of linesOf(input)) {
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
      this.write(failure(null, -32_700, 'This line is no JSON object. Send one message on each line.'));
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
      const answers = answersIn(response.headers.get('content-type'), await response.text());
      // A notification has no answer, also where it was refused.
      if (message.id === undefined) return;
      for (const answer of answers) {
        this.note(message, answer);
        this.write(JSON.stringify(asMessage(answer, id)));
      }
      if (method !== undefined && !answers.some(isLast))
        this.write(failure(id, refusedCode, `The server gave no answer: HTTP ${String(response.status)}.`));
    } catch (error) {
      const { message: why } = error as Error;
      if (message.id !== undefined) this.write(failure(message.id, refusedCode, why));
    }
  }

  private headersOf({ method, params }: Message): Record<string, string> {
    const version = params?._meta?.[versionKey] ?? this.agreed;
    const name = method?.startsWith('resources/') === true ? params?.uri : params?.name;
    return {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(typeof version === 'string' ? { 'mcp-protocol-version': version } : {}),
      ...(typeof method === 'string' ? { 'mcp-method': headerValue(method) } : {}),
      ...(typeof name === 'string' ? { 'mcp-name': headerValue(name) } : {}),
    };
  }

  private note({ method }: Message, { result }: Answer): void {
    if (method === 'initialize') this.agreed = result?.protocolVersion;
  }

  private write(text: string): void {
    this.out.write(`${text}\n`);
  }
}

/** Lines that end with a line feed. Other signs that end lines elsewhere (U+2028) may stand in JSON. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  const parts: string[] = [];
  for await (const chunk of input.setEncoding('utf8')) {
    const [first = '', ...more] = (chunk as string).split('\n');
    parts.push(first);
    for (const part of more) {
      yield parts.splice(0).join('');
      parts.push(part);
    }
  }
  yield parts.join('');
}

function messageIn(line: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The value of a header: a text with other characters than visible ASCII leaves as base64, as revision 2026-07-28 has it. */
const headerValue = (text: string): string =>
  /^[!-~](?:[ -~]*[!-~])?$/.test(text) && !text.startsWith('=?base64?')
    ? text
    : `=?base64?${Buffer.from(text).toString('base64')}?=`;

/** The objects in a body of JSON or of an event stream: messages, and refusals of the server as a GraphQL response. */
function answersIn(type: string | null, body: string): readonly Answer[] {
  const texts = type?.startsWith('text/event-stream')
    ? body.split(/\r?\n\r?\n/).map((event) =>
        event
          .split(/\r?\n/)
          .flatMap((line) => (line.startsWith('data:') ? line.slice('data:'.length).trimStart() : []))
          .join('\n'),
      )
    : [body];
  return texts.flatMap((text) => messageIn(text) ?? []);
}

/** A request has ended with it. */
const isLast = ({ method }: Answer): boolean => method === undefined;

/** A server that could not read a request tells no id. */
function asMessage(answer: Answer, id: Message['id']): object {
  const { jsonrpc, error, errors } = answer;
  if (jsonrpc !== undefined) return error === undefined ? answer : { ...answer, id: answer.id ?? id };
  const [first] = errors ?? [];
  return errorOf(id, refusedCode, first?.message ?? 'The request was refused.', first?.extensions);
}

const errorOf = (id: Message['id'], code: number, message: string, data?: object): object => ({
  jsonrpc: '2.0',
  id: id ?? null,
  error: { code, message, data },
});

const failure = (id: Message['id'], code: number, message: string): string =>
  JSON.stringify(errorOf(id, code, message));
