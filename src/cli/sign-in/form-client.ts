import { CommandError } from '../../core/command-error.js';
import { request } from './oauth-client.js';

/** A page of the server with its one form. */
export interface FormPage {
  readonly status: number;
  readonly fields: ReadonlySet<string>;
  readonly faults: readonly string[];
  readonly heading: string;
  readonly action: string | undefined;
  readonly hidden: ReadonlyMap<string, string>;
}

export type Landed =
  | { readonly kind: 'page'; readonly page: FormPage }
  /** The redirect back to the program, with these parameters. */
  | { readonly kind: 'returned'; readonly params: URLSearchParams };

const redirectsMax = 10;

/** Goes through the server's sign-in pages like a browser without scripts. Sends nothing to another server. */
export class FormClient {
  private readonly cookies = new Map<string, { readonly value: string; readonly path: string }>();

  constructor(
    private readonly origin: string,
    private readonly redirectUri: string,
  ) {}

  open(url: string): Promise<Landed> {
    return this.follow(url, {});
  }

  submit(page: FormPage, typed: Readonly<Record<string, string>>): Promise<Landed> {
    if (page.action === undefined)
      throw new CommandError(`The server shows a page without a form: ${page.heading}`);
    const body = new URLSearchParams({ ...Object.fromEntries(page.hidden), action: 'continue', ...typed });
    return this.follow(new URL(page.action, this.origin).href, {
      method: 'POST',
      body,
      headers: { origin: this.origin },
    });
  }

  private async follow(start: string, init: RequestInit): Promise<Landed> {
    let [url, next] = [start, init];
    for (let hop = 0; hop < redirectsMax; hop += 1) {
      if (url.startsWith(`${this.redirectUri}?`)) {
        return { kind: 'returned', params: new URL(url).searchParams };
      }
      if (new URL(url).origin !== this.origin)
        throw new CommandError(`The sign-in leads to another server: ${url}`);
      const response = await this.send(url, next);
      const location = response.headers.get('location');
      if (location === null) return { kind: 'page', page: readPage(response.status, await response.text()) };
      [url, next] = [new URL(location, url).href, {}];
    }
    throw new CommandError('The sign-in goes round in circles. Try again.');
  }

  private async send(url: string, init: RequestInit): Promise<Response> {
    const { pathname } = new URL(url);
    const sent = [...this.cookies]
      .filter(([, { path }]) => pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`);
    const headers = {
      accept: 'text/html',
      ...(init.headers as Record<string, string> | undefined),
      cookie: sent.join('; '),
    };
    const response = await request(url, { ...init, headers });
    for (const line of response.headers.getSetCookie()) this.keep(line);
    return response;
  }

  private keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const at = pair.indexOf('=');
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    const attribute = (key: string): string | undefined =>
      attributes.find((part) => part.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
    const isOver = Date.parse(attribute('expires') ?? '') < Date.now();
    if (isOver || value === '') this.cookies.delete(name);
    else this.cookies.set(name, { value, path: attribute('path') ?? '/' });
  }
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
const decoded = (text: string): string =>
  text
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? '')
    .replace(/\s+/g, ' ')
    .trim();
const attributeOf = (tag: string, name: string): string | undefined => {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value === undefined ? undefined : decoded(value);
};
const all = (html: string, pattern: RegExp): string[] =>
  [...html.matchAll(pattern)].map(([, text = '']) => decoded(text));

function readPage(status: number, html: string): FormPage {
  const inputs = html.match(/<input[^>]*>/g) ?? [];
  const form = /<form[^>]*>/.exec(html)?.[0];
  const hidden = inputs.filter((tag) => attributeOf(tag, 'type') === 'hidden');
  return {
    status,
    fields: new Set(inputs.map((tag) => attributeOf(tag, 'name') ?? '')),
    faults: all(html, /<li><a href="#[^"]*">(.*?)<\/a><\/li>/gs),
    heading: all(html, /<main>.*?<h1>(.*?)<\/h1>/gs)[0] ?? `HTTP ${String(status)}`,
    action: form === undefined ? undefined : attributeOf(form, 'action'),
    hidden: new Map(hidden.map((tag) => [attributeOf(tag, 'name') ?? '', attributeOf(tag, 'value') ?? ''])),
  };
}
