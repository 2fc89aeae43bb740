import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certified } from './certificates.js';

type Document = Readonly<Record<string, unknown>>;

/** A host on this machine with documents about clients, which may change. */
export class ClientHost {
  private readonly documents = new Map<string, Document | RequestListener>();
  /** How often each path was asked for. */
  readonly asked: string[] = [];
  /** The credentials that came with a request. */
  readonly credentials: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly scheme: 'http' | 'https',
  ) {}

  /** @param certified for https */
  static async start(certified?: Certified): Promise<ClientHost> {
    const server =
      certified === undefined
        ? createServer()
        : createTlsServer({ cert: readFileSync(certified.cert), key: readFileSync(certified.key) });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const host = new ClientHost(server, certified === undefined ? 'http' : 'https');
    server.on('request', (request, response) => {
      const path = request.url ?? '';
      host.asked.push(path);
      host.credentials.push(...[request.headers.authorization ?? [], request.headers.cookie ?? []].flat());
      const found = host.documents.get(path);
      if (found === undefined) response.writeHead(404).end();
      else if (typeof found === 'function') found(request, response);
      else response.setHeader('content-type', 'application/json').end(JSON.stringify(found));
    });
    return host;
  }

  /** Without scheme. */
  get host(): string {
    return `127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  address(path: string): string {
    return `${this.scheme}://${this.host}${path}`;
  }

  /** Serves a document of a client with these members; returns its address, which is the client id. */
  publish(path: string, members: Document = {}): string {
    const clientId = this.address(path);
    this.documents.set(path, {
      ...{
        client_id: clientId,
        client_name: 'Foreign desk',
        redirect_uris: ['https://foreign.example/back'],
      },
      ...members,
    });
    return clientId;
  }

  /** Serves something else. */
  answer(path: string, answer: RequestListener): string {
    this.documents.set(path, answer);
    return this.address(path);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
