import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sendPage } from '../../oauth/pages/page.js';
import { notSignedInPage } from '../../oauth/pages/sign-in-pages.js';
import { paths } from '../../oauth/contract/paths.js';
import { CommandError } from '../../core/command-error.js';
import { note } from '../terminal/output.js';
import { AuthorizationRequest, type Metadata, type Program, type Tokens } from './oauth-client.js';

const patienceMs = 300_000;

/**
 * Signs in to this or another program with a browser, and waits on the loopback address for the redirect (RFC 8252
 * section 7.3).
 * @param gone nobody waits for the tokens any more
 */
export async function signInWithBrowser(
  metadata: Metadata,
  program?: Program,
  gone?: AbortSignal,
): Promise<Tokens> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const authorization = new AuthorizationRequest(
    metadata,
    `http://127.0.0.1:${String(port)}/callback`,
    program,
  );
  try {
    const returned = callback(server, gone);
    const otherwise = program === undefined ? '\nWithout a browser: behalf login --user NAME' : '';
    note(`Sign in here:\n  ${authorization.url}${otherwise}`);
    openBrowser(authorization.url);
    const { params, response } = await returned;
    return await answering(response, `${metadata.issuer}${paths.signedIn}`, authorization.redeem(params));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

interface Returned {
  readonly params: URLSearchParams;
  readonly response: ServerResponse;
}

/** The first request to `/callback`, which waits for its answer. */
const callback = (server: Server, gone?: AbortSignal): Promise<Returned> =>
  new Promise((resolve, reject) => {
    gone?.addEventListener('abort', () => {
      clearTimeout(patience);
      reject(new CommandError('The program that asked has gone.'));
    });
    const patience = setTimeout(() => {
      reject(new CommandError('Nobody signed in within five minutes. Try again.'));
    }, patienceMs);
    server.on('request', (request, response) => {
      const { pathname, searchParams: params } = new URL(request.url ?? '/', 'http://127.0.0.1');
      if (request.method !== 'GET' || pathname !== '/callback') {
        response.writeHead(404).end();
        return;
      }
      clearTimeout(patience);
      resolve({ params, response });
    });
  });

/** Answers the browser: it goes on to the server's own page, or shows the failure. */
async function answering(response: ServerResponse, then: string, tokens: Promise<Tokens>): Promise<Tokens> {
  const sent = once(response, 'close');
  try {
    const given = await tokens;
    response.writeHead(302, { location: then, 'cache-control': 'no-store', connection: 'close' }).end();
    return given;
  } catch (error) {
    const why = error instanceof CommandError ? error.message : 'The sign-in failed.';
    response.setHeader('connection', 'close');
    sendPage(response, notSignedInPage(why));
    throw error;
  } finally {
    await sent;
  }
}

/** Opens a browser where there is a desktop. A failure is ignored: the address has been printed. */
function openBrowser(url: string): void {
  if (!process.stderr.isTTY) return;
  const openers: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
    darwin: ['open', url],
    win32: ['rundll32', 'url.dll,FileProtocolHandler', url],
  };
  const hasDesktop = (process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY) !== undefined;
  const [program, ...rest] = openers[process.platform] ?? (hasDesktop ? ['xdg-open', url] : []);
  if (program === undefined) return;
  const child = spawn(program, rest, { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
}
