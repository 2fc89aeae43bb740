import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { promisify } from 'node:util';
import { isLoopbackHost } from '../loopback.js';
import { isPublicAddress } from './public-address.js';

/** Why there is no answer. */
export type OutgoingFault =
  'unusable_url' | 'private_address' | 'out_of_reach' | 'redirect' | 'too_large' | 'too_slow';

/** The request was not sent, or its answer not taken. The message is for operators and never names an address. */
export class OutgoingRefusal extends Error {
  override readonly name = 'OutgoingRefusal';

  constructor(
    readonly fault: OutgoingFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface OutgoingRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly bytesMax: number;
  /** For everything, from the resolution of the name to the last byte. */
  readonly timeoutMs: number;
}

export interface OutgoingAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export interface OutgoingSettings {
  /** Whether plain http is allowed to hosts other than loopback, too. */
  readonly allowHttp: boolean;
  /** Hosts that may be in the own network, as URLs write them: at any port, or with the one port. */
  readonly privateHosts: readonly string[];
  readonly resolve?: Resolve;
}

const systemResolve: Resolve = (hostname) => promisify(systemLookup)(hostname, { all: true });

/**
 * Requests to addresses that others chose. They go to public addresses alone, unless the operator named the host; the
 * connection goes to an address that was checked, never to one that is resolved later. Nothing follows a redirect, uses a
 * cookie or takes a connection of another request.
 */
export class GuardedFetch {
  private readonly resolve: Resolve;
  private readonly privateHosts: ReadonlySet<string>;

  constructor(private readonly settings: OutgoingSettings) {
    this.resolve = settings.resolve ?? systemResolve;
    this.privateHosts = new Set(settings.privateHosts.map((host) => host.toLowerCase()));
  }

  /** Takes any status but a redirect. Throws `OutgoingRefusal`. */
  async ask(address: string, request: OutgoingRequest): Promise<OutgoingAnswer> {
    const url = this.checkedUrl(address);
    const signal = AbortSignal.timeout(request.timeoutMs);
    try {
      const addresses = await withinTime(signal, this.addressesOf(url));
      const response = await send(url, request, addresses, signal);
      return await answerOf(response, request.bytesMax);
    } catch (error) {
      if (error instanceof OutgoingRefusal) throw error;
      if (signal.aborted) throw new OutgoingRefusal('too_slow', 'it took too long', { cause: error });
      throw new OutgoingRefusal('out_of_reach', 'the host cannot be reached', { cause: error });
    }
  }

  private checkedUrl(address: string): URL {
    if (!URL.canParse(address)) throw new OutgoingRefusal('unusable_url', 'it is no URL');
    const url = new URL(address);
    if (url.username !== '' || url.password !== '')
      throw new OutgoingRefusal('unusable_url', 'the URL has a user name or a password');
    const isHttp =
      url.protocol === 'http:' &&
      this.mayBePrivate(url) &&
      (this.settings.allowHttp || isLoopbackHost(url.hostname));
    if (url.protocol !== 'https:' && !isHttp)
      throw new OutgoingRefusal('unusable_url', 'the URL is without https');
    return url;
  }

  private mayBePrivate({ hostname, port, protocol }: URL): boolean {
    const usualPort = protocol === 'https:' ? '443' : '80';
    return (
      this.privateHosts.has(hostname) ||
      this.privateHosts.has(`${hostname}:${port === '' ? usualPort : port}`)
    );
  }

  /** A host with one address that is not public is refused whole: which of them is taken would be chance. */
  private async addressesOf(url: URL): Promise<readonly LookupAddress[]> {
    const { hostname } = url;
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const family = isIP(host);
    const addresses = family === 0 ? await this.resolve(host) : [{ address: host, family }];
    if (addresses.length === 0) throw new OutgoingRefusal('out_of_reach', 'the host has no address');
    const isAllowed = this.mayBePrivate(url) || addresses.every(({ address }) => isPublicAddress(address));
    if (!isAllowed) throw new OutgoingRefusal('private_address', 'the host is not on the public internet');
    return addresses;
  }
}

const withinTime = <T>(signal: AbortSignal, work: Promise<T>): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(new Error('the time is over'));
      });
    }),
  ]);

/** In place of a second resolution, which may give another address. */
const pinnedTo =
  (addresses: readonly LookupAddress[]): LookupFunction =>
  (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };

function send(
  url: URL,
  { method = 'GET', headers = {}, body }: OutgoingRequest,
  addresses: readonly LookupAddress[],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method,
      headers: { ...headers, 'accept-encoding': 'identity' },
      agent: false,
      lookup: pinnedTo(addresses),
      signal,
    });
    request.once('response', resolve);
    request.once('error', reject);
    request.end(body);
  });
}

async function answerOf(response: IncomingMessage, bytesMax: number): Promise<OutgoingAnswer> {
  const { statusCode: status = 0, headers } = response;
  try {
    if (status >= 300 && status < 400) throw new OutgoingRefusal('redirect', 'it answered with a redirect');
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax)
        throw new OutgoingRefusal('too_large', `it is larger than ${String(bytesMax)} bytes`);
      chunks.push(chunk);
    }
    return { status, headers, body: Buffer.concat(chunks) };
  } finally {
    response.destroy();
  }
}
