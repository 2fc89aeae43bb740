import { AgentClient, type AgentOptions } from '../../src/client/agent-client.js';
import type { Agent, Office } from './office.js';

/** An answer that a wire gives in place of the server; undefined: the server answers. */
type Instead = (url: URL, init: RequestInit) => Response | undefined | Promise<Response | undefined>;

/** What went over the wire between a client and the server, and the time that the client sees. */
export class Wire {
  readonly sent: { readonly path: string; readonly form: URLSearchParams; readonly headers: Headers }[] = [];
  readonly waited: number[] = [];
  private readonly timeouts: AbortController[] = [];
  now = Date.parse('2026-03-02T08:00:00.000Z');
  private readonly instead: Instead[] = [];

  /** Asks these first, each for one request to the path. */
  next(path: string, ...instead: readonly Instead[]): void {
    for (const each of instead) {
      const once: Instead = (url, init) => {
        if (url.pathname !== path) return undefined;
        this.instead.splice(this.instead.indexOf(once), 1);
        return each(url, init);
      };
      this.instead.push(once);
    }
  }

  count(path: string): number {
    return this.sent.filter((one) => one.path === path).length;
  }

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const form =
      init.body instanceof URLSearchParams ? new URLSearchParams(init.body) : new URLSearchParams();
    this.sent.push({ path: url.pathname, form, headers: new Headers(init.headers) });
    for (const each of [...this.instead]) {
      const before = this.instead.length;
      const answer = await each(url, init);
      if (answer !== undefined) return answer;
      if (this.instead.length < before) break;
    }
    return fetch(input, init);
  };

  client(options: Omit<AgentOptions, 'fetch'>): AgentClient {
    const wait = (ms: number): Promise<void> => {
      this.waited.push(ms);
      this.now += ms;
      return Promise.resolve();
    };
    const timeout = (): AbortSignal => {
      const controller = new AbortController();
      this.timeouts.push(controller);
      return controller.signal;
    };
    return new AgentClient({ ...options, fetch: this.fetch }, { now: () => this.now, wait, timeout });
  }

  /** The time of every request that was sent so far is up. */
  timeIsUp(): void {
    for (const controller of this.timeouts.splice(0))
      controller.abort(new DOMException('The time is up.', 'TimeoutError'));
  }
}

/** What a client of an agent of the office needs. */
export const optionsOf = (office: Office, { name, secret }: Agent, delegation: string) => ({
  server: office.server.url,
  agent: name,
  secret,
  delegation,
});
