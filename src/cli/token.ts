import { agentToken, discover, refresh, TokenRefused, type Tokens } from './sign-in/oauth-client.js';
import { serverUrl, type ServerOption } from './sign-in/server-url.js';
import { TokenStore } from './sign-in/token-store.js';
import type { JsonOption } from './terminal/command.js';
import { CommandError } from '../core/command-error.js';
import { answer } from './terminal/output.js';
import { readText } from './terminal/read-text.js';

export interface TokenOptions extends JsonOption, ServerOption {
  readonly agent?: string;
  readonly delegation?: string;
  readonly secretFile?: string;
  readonly scope?: string;
}

interface Issued {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly scope?: string | undefined;
  readonly for: string;
}

/** `behalf token` */
export async function token(options: TokenOptions): Promise<void> {
  const server = serverUrl(options);
  const issued = await (options.agent === undefined ? ofPerson(server, options) : ofAgent(server, options));
  answer(options.json, { server, ...issued }, () => issued.accessToken);
}

async function ofAgent(server: string, options: TokenOptions): Promise<Issued> {
  const { agent, delegation, secretFile, scope } = options;
  if (agent === undefined || delegation === undefined || secretFile === undefined) {
    throw new CommandError('An agent’s token needs all of --agent, --delegation and --secret-file.');
  }
  const metadata = await discover(server);
  const secret = readText(secretFile).trim();
  return issuedTo(agent, await agentToken(metadata, { agent, delegation, secret, scope }));
}

const issuedTo = (name: string, tokens: Tokens): Issued => ({
  accessToken: tokens.access_token,
  expiresInSeconds: tokens.expires_in,
  scope: tokens.scope,
  for: name,
});

function ofPerson(server: string, options: TokenOptions): Promise<Issued> {
  if ((options.delegation ?? options.secretFile ?? options.scope) !== undefined) {
    throw new CommandError(
      '--delegation, --secret-file and --scope belong to an agent: name it with --agent.',
    );
  }
  const store = new TokenStore(server);
  return store.alone(async () => {
    const known = await store.read();
    const again = server === serverUrl({}) ? 'behalf login' : `behalf login --server ${server}`;
    if (known === undefined) throw new CommandError(`Nobody is signed in at ${server}. Run \`${again}\`.`);
    const tokens = await refresh(await discover(server), known.refreshToken).catch(async (error: unknown) => {
      if (!(error instanceof TokenRefused) || error.code !== 'invalid_grant') throw error;
      await store.forget();
      throw new CommandError(`The sign-in of ${known.user} has ended. Run \`${again}\`.`, { cause: error });
    });
    await store.write({ ...known, refreshToken: tokens.refresh_token ?? known.refreshToken });
    return issuedTo(known.user, tokens);
  });
}
