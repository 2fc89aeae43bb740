import { request as httpRequest } from 'node:http';

/** One request of a fixed set, as sent. */
export interface WireRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Headers that depend on the connection and not on this server's behaviour. */
const incidental = new Set(['date', 'content-length', 'connection', 'keep-alive', 'transfer-encoding']);

/** Sends it unchanged, and returns status, headers and body as one text. */
export function answerTo(url: string, sent: WireRequest): Promise<string> {
  const { method = 'POST', path = '/graphql', headers = {}, body = '' } = sent;
  return new Promise((resolve, reject) => {
    const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) };
    const asked = httpRequest(`${url}${path}`, { method, headers: { ...length, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const told = Object.entries(response.headers)
          .filter(([name]) => !incidental.has(name))
          .sort(([one], [other]) => (one < other ? -1 : 1))
          .map(([name, value]) => `${name}: ${String(value)}`);
        const text = Buffer.concat(chunks).toString('utf8');
        resolve([String(response.statusCode), ...told, '', text].join('\n'));
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Replaces each id, address, time and keyed digest by a name, the same name for the same value. */
export class Names {
  private readonly known = new Map<string, string>();

  constructor(private readonly fixed: ReadonlyMap<string, string>) {}

  in(text: string): string {
    let named = text;
    for (const [value, name] of this.fixed) named = named.replaceAll(value, name);
    return (
      named
        // First, as a digest may happen to hold text like an id.
        .replace(/(hmac|digest)([^\w+/=-]+)[\w+/=-]{20,}/gi, '$1$2<digest>')
        .replace(/[0-9A-HJKMNP-TV-Z]{26}/gi, (id) => this.nameOf('id', id.toUpperCase()))
        .replace(/http:\/\/127\.0\.0\.1:\d+/g, '<server>')
        .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, '<time>')
        .replace(/tok_[\w-]+/g, '<token id>')
        .replace(/"durationMs":\d+/g, '"durationMs":<ms>')
    );
  }

  private nameOf(kind: string, value: string): string {
    const name = this.known.get(value) ?? `<${kind} ${String(this.known.size + 1)}>`;
    this.known.set(value, name);
    return name;
  }
}
