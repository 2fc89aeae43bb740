import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The listener of a program on a person's machine, to which their browser returns with the answer. */
export class OAuthCallback {
  private answers: URLSearchParams[] = [];

  private constructor(private readonly server: Server) {
    server.on('request', ({ url = '/' }, response) => {
      const { searchParams } = new URL(url, 'http://127.0.0.1');
      if (searchParams.has('code') || searchParams.has('error')) this.answers.push(searchParams);
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Back</title><h1>Back</h1>');
    });
  }

  static async start(): Promise<OAuthCallback> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new OAuthCallback(server);
  }

  /** A redirect URI of the program. */
  url(host = '127.0.0.1', path = '/callback'): string {
    return `http://${host}:${String((this.server.address() as AddressInfo).port)}${path}`;
  }

  /** The answer that came since this was last asked. */
  take(): URLSearchParams {
    const [answer, ...others] = this.answers;
    this.answers = [];
    if (answer === undefined || others.length > 0) throw new Error('There is not exactly one answer.');
    return answer;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
