import type { Readable, Writable } from 'node:stream';

/** Sends one request of HTTP, with the token that it needs. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

interface Message {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: {
    readonly name?: string;
    readonly uri?: string;
    readonly requestId?: string | number;
    readonly _meta?: Readonly<Record<string, unknown>>;
    readonly protocolVersion?: string;
  };
}

/** A message of the server. */
interface Answer {
  readonly jsonrpc: '2.0';
  readonly id?: string | number | null;
  readonly method?: string;
  readonly result?: { readonly protocolVersion?: string };
  readonly error?: object;
}

/** An internal error of JSON-RPC. */
const internalCode = -32_603;

const streamEnded = 'The server has ended the stream. Listen again.';
const noAnswer = ({ status }: Response): string => `The server gave no answer: HTTP ${String(status)}.`;

const versionKey = 'io.modelcontextprotocol/protocolVersion';

/** Passes messages of MCP from lines of text to HTTP (Streamable HTTP), and the answers back. */
export class StdioBridge {
  /** The revision that a client of 2025 agreed upon with its first message. */
  private agreed: string | undefined;
  /** Streams that are open, by the ids of their messages. */
  private readonly streams = new Map<Message['id'], AbortController>();

  constructor(
    private readonly url: string,
    private readonly send: Send,
    private readonly out: Writable,
  ) {}

  /** Resolves when the input has ended and every message has its answer. Streams end with the input. */
  async run(input: Readable): Promise<void> {
    const open = new Set<Promise<void>>();
    for await (const line of linesOf(input.setEncoding('utf8') as AsyncIterable<string>)) {
      if (line.trim() === '') continue;
      const message = messageIn(line);
      const answering = this.pass(line, message).finally(() => open.delete(answering));
      open.add(answering);
      // It agrees upon the revision of the messages that follow.
      if (message?.method === 'initialize') await answering;
      if (message?.method === 'notifications/cancelled') this.streams.get(message.params?.requestId)?.abort();
    }
    for (const stream of this.streams.values()) stream.abort();
    await Promise.all(open);
  }

  private async pass(line: string, message: Message | undefined): Promise<void> {
    if (message === undefined) {
      this.write(failure(null, -32_700, 'This line is no JSON object. Send one message on each line.'));
      return;
    }
    const { id, method } = message;
    const gone = new AbortController();
    const isStream = method === 'subscriptions/listen';
    if (isStream) this.streams.set(id, gone);
    try {
      const headers = this.headersOf(message);
      const init = { method: 'POST', headers, body: line, signal: gone.signal };
      const response = await this.send(this.url, init);
      // A notification has no answer, also where it was refused.
      if (id === undefined) await response.body?.cancel();
      else if (!(await this.passAnswers(message, response)) && method !== undefined)
        this.write(failure(id, internalCode, isStream ? streamEnded : noAnswer(response)));
    } catch (error) {
      const { message: why } = error as Error;
      if (id !== undefined && !gone.signal.aborted) this.write(failure(id, internalCode, why));
    } finally {
      if (isStream) this.streams.delete(id);
    }
  }

  /** Passes answers on as they come. Whether the last of them was among them. */
  private async passAnswers(message: Message, response: Response): Promise<boolean> {
    let isAnswered = false;
    for await (const answer of answersIn(response)) {
      this.note(message, answer);
      this.write(JSON.stringify(withId(answer, message.id)));
      isAnswered ||= isLast(answer);
    }
    return isAnswered;
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
async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  const parts: string[] = [];
  for await (const chunk of text) {
    const [first = '', ...more] = chunk.split('\n');
    parts.push(first);
    for (const part of more) {
      yield parts.splice(0).join('');
      parts.push(part);
    }
  }
  yield parts.join('');
}

const messageIn = (line: string): Message | undefined => objectIn(line);

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
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

/** The messages in a body of JSON or of an event stream; none where something else than the server answered. */
async function* answersIn(response: Response): AsyncGenerator<Answer> {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  for await (const text of isStream ? eventsOf(response) : [await response.text()]) {
    const value = objectIn(text);
    if (value !== undefined && isAnswer(value)) yield value;
  }
}

/** The data of each event. */
async function* eventsOf({ body }: Response): AsyncGenerator<string> {
  if (body === null) return;
  const data: string[] = [];
  for await (const line of linesOf(body.pipeThrough(new TextDecoderStream()))) {
    if (line.startsWith('data:')) data.push(line.slice('data:'.length));
    else if (line.trim() === '') yield data.splice(0).join('\n');
  }
  yield data.join('\n');
}

/** A request has ended with it. */
const isLast = ({ method }: Answer): boolean => method === undefined;

const isAnswer = (value: object): value is Answer => 'jsonrpc' in value && value.jsonrpc === '2.0';

/** A server that could not read a request tells no id. */
const withId = (answer: Answer, id: Message['id']): Answer =>
  answer.error === undefined ? answer : { ...answer, id: answer.id ?? id ?? null };

const failure = (id: Message['id'], code: number, message: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error: { code, message } });
