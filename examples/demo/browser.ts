export interface Shown {
  readonly url: string;
  readonly html: string;
}

/** A person's browser without JavaScript: keeps cookies, follows redirects inside one site, sends forms. */
export class Browser {
  private readonly cookies = new Map<string, { readonly value: string; readonly path: string }>();

  constructor(private readonly origin: string) {}

  open(url: string): Promise<Shown> {
    return this.go(url, { method: 'GET' });
  }

  /** Sends the page's form with the typed and ticked values, by its first button. */
  submit(page: Shown, typed: Readonly<Record<string, string | readonly string[]>>): Promise<Shown> {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.html)?.[1];
    if (action === undefined) throw new Error(`there is no form on the page “${titleOf(page)}”`);
    const fields = { ...hiddenFields(page.html), action: 'continue', ...typed };
    const body = new URLSearchParams(
      Object.entries(fields).flatMap(([name, values]) =>
        [values].flat().map((value): [string, string] => [name, value]),
      ),
    );
    const headers = { origin: this.origin, 'sec-fetch-site': 'same-origin' };
    return this.go(new URL(action, this.origin).href, { method: 'POST', body, headers });
  }

  /** Stops at a redirect to another site, where the person's program takes over. */
  private async go(url: string, init: RequestInit): Promise<Shown> {
    let at = url;
    let response = await this.request(at, init);
    while (response.status >= 300 && response.status < 400) {
      at = new URL(response.headers.get('location') ?? '', at).href;
      if (new URL(at).origin !== this.origin) return { url: at, html: '' };
      response = await this.request(at, { method: 'GET' });
    }
    return { url: at, html: await response.text() };
  }

  private async request(url: string, init: RequestInit): Promise<Response> {
    const { pathname } = new URL(url);
    const cookie = [...this.cookies]
      .filter(([, { path }]) => pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
    const headers = {
      accept: 'text/html',
      'user-agent': 'behalf-demo',
      ...(init.headers as Record<string, string>),
      cookie,
    };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.keep(line);
    return response;
  }

  private keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const path = attributes.find((part) => part.toLowerCase().startsWith('path='))?.slice('path='.length);
    const ended = attributes.some((part) => part.toLowerCase().startsWith('expires=thu, 01 jan 1970'));
    if (ended) this.cookies.delete(name);
    else this.cookies.set(name, { value: pair.slice(name.length + 1), path: path ?? '/' });
  }
}

export const titleOf = ({ html, url }: Shown): string => /<title>([^<]*)<\/title>/.exec(html)?.[1] ?? url;

/** True where the page has an input of this name. */
export const asksFor = ({ html }: Shown, name: string): boolean => html.includes(` name="${name}"`);

const hiddenFields = (html: string): Record<string, string> =>
  Object.fromEntries(
    [...html.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([tag]) => [
      /name="([^"]*)"/.exec(tag)?.[1] ?? '',
      /value="([^"]*)"/.exec(tag)?.[1] ?? '',
    ]),
  );
