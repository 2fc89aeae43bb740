import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as plainRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { Certified } from './certificates.js';

/** How a proxy writes a certificate into the header. */
type Form = 'rfc9440' | 'pem';

/** The address from which the proxy connects to the server. */
export const proxyAddress = '127.0.0.2';

/**
 * A proxy that ends TLS and asks each client for a certificate, of whatever authority. It passes the certificate in
 * `Client-Cert`, in place of what the client may have written there.
 */
export class TlsProxy {
  /** Where the requests go. */
  target = '';
  form: Form = 'rfc9440';
  /** Headers as the server got them from the proxy. */
  readonly passed: (string | undefined)[] = [];

  private constructor(private readonly server: Server) {}

  static async start({ cert, key }: Certified): Promise<TlsProxy> {
    const server = createServer({
      ...{ cert: readFileSync(cert), key: readFileSync(key) },
      ...{ requestCert: true, rejectUnauthorized: false },
    });
    const proxy = new TlsProxy(server);
    server.on('request', (from, to) => {
      proxy.pass(from, to);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private pass(from: IncomingMessage, to: ServerResponse): void {
    const { 'client-cert': _, ...headers } = from.headers;
    const { raw } = (from.socket as TLSSocket).getPeerCertificate(true) as Partial<DetailedPeerCertificate>;
    const value = raw === undefined ? undefined : headerOf(raw, this.form);
    this.passed.push(value);
    const onward = plainRequest(`${this.target}${from.url ?? ''}`, {
      method: from.method,
      localAddress: proxyAddress,
      agent: false,
      headers: { ...headers, ...(value !== undefined && { 'client-cert': value }) },
    });
    onward.on('response', (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    onward.on('error', () => {
      to.destroy();
    });
    from.pipe(onward);
  }
}

/** The value of the header for a certificate in DER. */
export function headerOf(raw: Buffer, form: Form): string {
  const text = raw.toString('base64');
  if (form === 'rfc9440') return `:${text}:`;
  const lines = text.match(/.{1,64}/g) ?? [];
  return encodeURIComponent(
    ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
  );
}

/** A `fetch` over connections with this certificate. Plain HTTP goes as ever. */
export const fetchWith =
  (authority: Certified, certified: Certified | undefined): typeof fetch =>
  async (input, init = {}) => {
    const asked = new Request(input, init);
    if (!asked.url.startsWith('https:')) return fetch(asked);
    const body = Buffer.from(await asked.arrayBuffer());
    const sent = request(asked.url, {
      method: asked.method,
      headers: { ...Object.fromEntries(asked.headers), 'content-length': String(body.length) },
      agent: false,
      ca: readFileSync(authority.cert),
      ...(certified !== undefined && {
        cert: readFileSync(certified.cert),
        key: readFileSync(certified.key),
      }),
    });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const parts: Buffer[] = [];
    for await (const part of answer) parts.push(part as Buffer);
    return new Response(Buffer.concat(parts), {
      status: answer.statusCode ?? 0,
      headers: new Headers(
        Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
          values.map((value): [string, string] => [name, value]),
        ),
      ),
    });
  };
