import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { commandLineClient } from '../../oauth/contract/dependencies.js';
import { paths } from '../../oauth/contract/paths.js';
import { CommandError } from '../../core/command-error.js';

const metadataShape = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
});
const tokenShape = z.object({
  access_token: z.string(),
  token_type: z.string(),
  expires_in: z.number(),
  refresh_token: z.string().optional(),
  scope: z.string().optional(),
});
const errorShape = z.object({ error: z.string(), error_description: z.string().optional() });

export type Metadata = z.infer<typeof metadataShape>;
export type Tokens = z.infer<typeof tokenShape>;

/** A refusal by the token endpoint (RFC 6749 section 5.2). */
export class TokenRefused extends CommandError {
  constructor(
    readonly code: string,
    description: string | undefined,
  ) {
    super(`The server gave no token: ${(description ?? code).replace(/\.$/, '')}.`);
  }
}

/** `fetch`, with an understandable error where the server does not answer. */
export async function request(url: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(30_000) });
  } catch (error) {
    const { origin } = new URL(url);
    const cause = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message;
    throw new CommandError(
      `No server answers at ${origin} (${cause}). Start one with \`behalf start\`, or name it with --server.`,
      { cause: error },
    );
  }
}

/** The metadata of RFC 8414. Throws where the issuer is another server (section 3.3). */
export async function discover(server: string): Promise<Metadata> {
  const response = await request(`${server}${paths.metadata}`);
  const parsed = metadataShape.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) {
    throw new CommandError(`What answers at ${server} is no Behalf server. Name another with --server.`);
  }
  const metadata = parsed.data;
  if (metadata.issuer !== server) {
    throw new CommandError(`This server is called ${metadata.issuer}: use --server ${metadata.issuer}.`);
  }
  const isForeign = [metadata.authorization_endpoint, metadata.token_endpoint].some(
    (url) => new URL(url).origin !== server,
  );
  if (isForeign) throw new CommandError(`${server} sends sign-ins to another server; that is not trusted.`);
  return metadata;
}

/** The program that asks, and the resource for which its tokens are (RFC 8707); none is the first of the server. */
export interface Program {
  readonly clientId: string;
  readonly resource?: string;
}

const thisProgram: Program = { clientId: commandLineClient.clientId };

const parametersOf = ({ clientId, resource }: Program): Record<string, string> => ({
  client_id: clientId,
  ...(resource === undefined ? {} : { resource }),
});

/** One authorization request (RFC 6749 section 4.1) with PKCE (RFC 7636). */
export class AuthorizationRequest {
  private readonly verifier = randomBytes(32).toString('base64url');
  private readonly state = randomBytes(16).toString('base64url');

  constructor(
    private readonly metadata: Metadata,
    readonly redirectUri: string,
    private readonly program = thisProgram,
  ) {}

  get url(): string {
    const url = new URL(this.metadata.authorization_endpoint);
    url.search = new URLSearchParams({
      ...parametersOf(this.program),
      redirect_uri: this.redirectUri,
      response_type: 'code',
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      state: this.state,
    }).toString();
    return url.href;
  }

  /** Redeems the code, after checking that the redirect answers this request (RFC 9207, RFC 9700). */
  async redeem(returned: URLSearchParams): Promise<Tokens> {
    if (returned.get('state') !== this.state || returned.get('iss') !== this.metadata.issuer) {
      throw new CommandError('What came back was not the answer to this sign-in. Try again.');
    }
    const error = returned.get('error');
    if (error !== null) {
      throw new CommandError(`You are not signed in: ${returned.get('error_description') ?? error}.`);
    }
    return askForTokens(this.metadata, {
      grant_type: 'authorization_code',
      ...parametersOf(this.program),
      code: returned.get('code') ?? '',
      redirect_uri: this.redirectUri,
      code_verifier: this.verifier,
    });
  }
}

/** RFC 6749 section 6. Uses the refresh token up. */
export const refresh = (metadata: Metadata, refreshToken: string, program = thisProgram): Promise<Tokens> =>
  askForTokens(metadata, {
    grant_type: 'refresh_token',
    ...parametersOf(program),
    refresh_token: refreshToken,
  });

export interface AgentRequest {
  readonly agent: string;
  readonly secret: string;
  readonly delegation: string;
  readonly scope?: string | undefined;
}

/** An agent's token under a delegation, by client credentials (RFC 6749 section 4.4, RFC 9396). */
export function agentToken(
  metadata: Metadata,
  { agent, secret, delegation, scope }: AgentRequest,
): Promise<Tokens> {
  const credentials = `${encodeURIComponent(agent)}:${encodeURIComponent(secret)}`;
  return askForTokens(
    metadata,
    {
      grant_type: 'client_credentials',
      authorization_details: JSON.stringify([{ type: 'behalf_delegation', delegation }]),
      ...(scope === undefined ? {} : { scope }),
    },
    { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
  );
}

async function askForTokens(
  metadata: Metadata,
  parameters: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Tokens> {
  const body = new URLSearchParams(parameters);
  const response = await request(metadata.token_endpoint, { method: 'POST', body, headers });
  const json: unknown = await response.json().catch(() => undefined);
  if (response.ok) return tokenShape.parse(json);
  const refusal = errorShape.safeParse(json);
  if (!refusal.success) {
    throw new CommandError(`The server could not give a token (HTTP ${String(response.status)}). Try again.`);
  }
  throw new TokenRefused(refusal.data.error, refusal.data.error_description);
}
