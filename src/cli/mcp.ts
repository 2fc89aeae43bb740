import { agentClient, type PrivateJwk } from '../client/index.js';
import { CommandError } from '../core/command-error.js';
import { parseJson } from '../core/json.js';
import { discover, refresh, TokenRefused, type Metadata, type Program } from './sign-in/oauth-client.js';
import { serverUrl, type ServerOption } from './sign-in/server-url.js';
import { TokenStore } from './sign-in/token-store.js';
import { signInWithBrowser } from './sign-in/with-browser.js';
import { StdioBridge, type Send } from './stdio-bridge.js';
import type { JsonOption } from './terminal/command.js';
import { readText } from './terminal/read-text.js';

export interface McpOptions extends JsonOption, ServerOption {
  readonly stdio?: boolean;
  readonly client?: string;
  readonly agent?: string;
  readonly delegation?: string;
  readonly secretFile?: string;
  readonly keyFile?: string;
}

/** `behalf mcp --stdio`: returns when stdin has ended and every message has its answer. */
export async function mcp(options: McpOptions): Promise<void> {
  if (options.stdio !== true)
    throw new CommandError('Say --stdio. Programs that speak HTTP connect to `/mcp` themselves.');
  const server = serverUrl(options);
  const gone = new AbortController();
  process.stdin.once('end', () => {
    gone.abort();
  });
  const send =
    options.client === undefined ? asAgent(server, options) : asClient(server, options.client, gone.signal);
  await new StdioBridge(`${server}/mcp`, send, process.stdout).run(process.stdin);
}

function asAgent(server: string, { agent, delegation, secretFile, keyFile }: McpOptions): Send {
  if (agent === undefined || (secretFile === undefined) === (keyFile === undefined))
    throw new CommandError('Say --client, or --agent with one of --secret-file and --key-file.');
  const credentials =
    secretFile === undefined
      ? { privateKey: parseJson(readText(keyFile ?? ''), 'The key') as PrivateJwk }
      : { secret: readText(secretFile).trim() };
  const client = agentClient({ ...{ server, agent, delegation }, ...credentials, path: '/mcp' });
  return (url, init) => client.fetch(url, init);
}

/** The person signs in once; after that the client refreshes its tokens, also when it is started again. */
function asClient(server: string, clientId: string, gone: AbortSignal): Send {
  const program = { clientId, resource: `${server}/mcp` };
  const store = new TokenStore(server, clientId);
  let current: Promise<string> | undefined;
  const token = (): Promise<string> => {
    if (current !== undefined) return current;
    const signingIn = tokenOf(server, program, store, gone).catch((error: unknown) => {
      // The next message tries again.
      if (current === signingIn) current = undefined;
      throw error;
    });
    return (current = signingIn);
  };
  const send = async (url: string, init: RequestInit, using: Promise<string>): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${await using}`);
    return fetch(url, { ...init, headers });
  };
  return async (url, init) => {
    const using = token();
    const response = await send(url, init, using);
    if (response.status !== 401) return response;
    // Several messages may meet the end of one token: only the first gets a new one.
    if (current === using) current = undefined;
    return send(url, init, token());
  };
}

async function tokenOf(
  server: string,
  program: Program,
  store: TokenStore,
  gone: AbortSignal,
): Promise<string> {
  const metadata = await discover(server);
  return store.alone(async () => {
    const tokens =
      (await refreshed(metadata, program, store)) ?? (await signInWithBrowser(metadata, program, gone));
    const { access_token, refresh_token } = tokens;
    if (refresh_token !== undefined)
      await store.write({ server, user: program.clientId, refreshToken: refresh_token });
    return access_token;
  });
}

/** Undefined where the person has to sign in. */
async function refreshed(metadata: Metadata, program: Program, store: TokenStore) {
  const known = await store.read();
  if (known === undefined) return undefined;
  return refresh(metadata, known.refreshToken, program).catch(async (error: unknown) => {
    if (!(error instanceof TokenRefused) || error.code !== 'invalid_grant') throw error;
    await store.forget();
    return undefined;
  });
}
