import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import inject from 'light-my-request';
import { z } from 'zod';
import { paths } from './contract/paths.js';
import type { PublicClient } from './contract/dependencies.js';
import type { OAuth } from './server.js';

export { passkeyAcr } from '../authority/chain.js';

/** The tokens of one sign-in. `expiresIn` is in seconds and belongs to the access token. */
interface OwnTokens {
  readonly access: string;
  readonly refresh: string;
  readonly expiresIn: number;
}

/** `refused`: the sign-in has ended. `unavailable`: the same request may succeed later. */
export type TokenOutcome =
  | { readonly kind: 'tokens'; readonly tokens: OwnTokens }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unavailable' };

/** One authorization request. The verifier stays with the program (RFC 7636). */
export interface Authorization {
  readonly state: string;
  readonly verifier: string;
  /** The sign-in that is needed (RFC 9470 section 4). */
  readonly acrValues?: string;
}

const tokenShape = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  expires_in: z.number(),
});

/** From these headers the authorization server learns the browser's address and name, for its records. */
const passedOn = ['x-forwarded-for', 'forwarded', 'user-agent'] as const;

/**
 * A public client that is part of this server. It uses the endpoints that every client uses, with PKCE and rotating
 * refresh tokens, but inside the process: the server need not reach its own public URL.
 */
export class OwnProgram {
  constructor(
    private readonly oauth: Pick<OAuth, 'handle'>,
    private readonly client: PublicClient,
  ) {}

  /** The path and query of the authorization request. */
  authorizationPath({ state, verifier, acrValues }: Authorization): string {
    const query = new URLSearchParams({
      client_id: this.client.clientId,
      redirect_uri: this.redirectUri,
      response_type: 'code',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      state,
      ...(acrValues === undefined ? {} : { acr_values: acrValues }),
    });
    return `${paths.authorize}?${query.toString()}`;
  }

  /** RFC 6749 section 4.1.3. */
  redeem(browser: IncomingMessage, code: string, verifier: string): Promise<TokenOutcome> {
    const grant = { grant_type: 'authorization_code', code, code_verifier: verifier };
    return this.requestTokens(browser, { ...grant, redirect_uri: this.redirectUri });
  }

  /** RFC 6749 section 6. Uses the refresh token up. */
  refresh(browser: IncomingMessage, token: string): Promise<TokenOutcome> {
    return this.requestTokens(browser, { grant_type: 'refresh_token', refresh_token: token });
  }

  /** Ends the sign-in of a refresh token with all its tokens (RFC 7009). False where that was not possible now. */
  async revoke(browser: IncomingMessage, token: string): Promise<boolean> {
    return (await this.post(browser, paths.revocation, { token })).status === 200;
  }

  private get redirectUri(): string {
    return this.client.redirectUris[0] ?? '';
  }

  private async requestTokens(
    browser: IncomingMessage,
    form: Readonly<Record<string, string>>,
  ): Promise<TokenOutcome> {
    const { status, body } = await this.post(browser, paths.token, form);
    if (status !== 200) return { kind: status === 400 || status === 401 ? 'refused' : 'unavailable' };
    const { access_token: access, refresh_token: refresh, expires_in: expiresIn } = tokenShape.parse(body);
    return { kind: 'tokens', tokens: { access, refresh, expiresIn } };
  }

  private async post(
    { headers, socket }: IncomingMessage,
    url: string,
    form: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const sent: Record<string, string> = {};
    for (const name of passedOn) {
      const value = headers[name];
      if (typeof value === 'string') sent[name] = value;
    }
    const answer = await inject(
      (request, response) => {
        this.oauth.handle(request, response);
      },
      {
        method: 'POST',
        url,
        remoteAddress: socket.remoteAddress ?? 'unknown',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...sent },
        payload: new URLSearchParams({ client_id: this.client.clientId, ...form }).toString(),
      },
    );
    const isJson = answer.payload.startsWith('{');
    return { status: answer.statusCode, body: isJson ? (JSON.parse(answer.payload) as unknown) : undefined };
  }
}
