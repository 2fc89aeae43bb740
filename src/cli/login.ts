import { z } from 'zod';
import {
  AuthorizationRequest,
  discover,
  request,
  type Metadata,
  type Tokens,
} from './sign-in/oauth-client.js';
import { serverUrl, type ServerOption } from './sign-in/server-url.js';
import { TokenStore } from './sign-in/token-store.js';
import { signInWithPassword } from './sign-in/with-password.js';
import type { JsonOption } from './terminal/command.js';
import { CommandError } from '../core/command-error.js';
import { answer, clean } from './terminal/output.js';
import { Prompt } from './terminal/prompt.js';
import { readText } from './terminal/read-text.js';

export interface LoginOptions extends JsonOption, ServerOption {
  readonly user?: string;
  readonly passwordFile?: string;
}

/** `behalf login` */
export async function login(options: LoginOptions): Promise<void> {
  const server = serverUrl(options);
  const metadata = await discover(server);
  const tokens = await signIn(server, metadata, options);
  const refreshToken = tokens.refresh_token;
  if (refreshToken === undefined)
    throw new CommandError('The server keeps nobody signed in. Ask its operator.');
  const person = await viewer(server, tokens.access_token);
  const store = new TokenStore(server);
  await store.alone(() => store.write({ server, user: person.name, refreshToken }));
  answer(
    options.json,
    { server, user: person.name, displayName: person.displayName, file: store.path },
    () => [
      `${clean(person.displayName)} (${clean(person.name)}) is signed in at ${server}.`,
      'Get an access token with `behalf token`.',
    ],
  );
}

async function signIn(server: string, metadata: Metadata, options: LoginOptions): Promise<Tokens> {
  if (options.user === undefined) {
    if (options.passwordFile !== undefined)
      throw new CommandError('Say whose password it is: `--user NAME`.');
    const { signInWithBrowser } = await import('./sign-in/with-browser.js');
    return signInWithBrowser(metadata);
  }
  // No program listens there: this process goes through the pages and reads the redirect itself.
  const authorization = new AuthorizationRequest(metadata, 'http://127.0.0.1/callback');
  const prompt = new Prompt();
  try {
    const person = { name: options.user, password: passwordOf(options.user, options.passwordFile) };
    return await authorization.redeem(await signInWithPassword(server, authorization, person, prompt));
  } finally {
    prompt.close();
  }
}

function passwordOf(name: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const password = passwordIn(readText(file), name);
  if (password !== undefined) return password;
  throw new CommandError(`${file} has neither one line alone nor a line that begins with \`${name}: \`.`);
}

/**
 * The password on the person's line. A file with a single line is the password whatever it begins with, even `#`;
 * otherwise `#` begins a comment.
 */
export function passwordIn(text: string, name: string): string | undefined {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line !== '');
  const mine = lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  if (mine !== undefined || lines.length === 1) return mine ?? lines[0];
  const bare = lines.filter((line) => !line.startsWith('#'));
  return bare.length === 1 ? bare[0] : undefined;
}

const viewerShape = z.object({
  data: z.object({ viewer: z.object({ person: z.object({ name: z.string(), displayName: z.string() }) }) }),
});

/** The person whom the server recognises by the token. */
async function viewer(server: string, token: string): Promise<{ name: string; displayName: string }> {
  const response = await request(`${server}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: 'query Login { viewer { person { name displayName } } }' }),
  });
  const parsed = viewerShape.safeParse(await response.json().catch(() => undefined));
  if (parsed.success) return parsed.data.data.viewer.person;
  throw new CommandError(`The server gave a token and does not accept it (HTTP ${String(response.status)}).`);
}
