import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeJwt, errors } from 'jose';
import { ZodError } from 'zod';
import type { Logger } from '../../core/logger.js';
import type { IdentityProviderRow } from '../../store/tables/identity-providers.js';
import type { Identities, Recorder } from '../contract/dependencies.js';
import { FormError, readForm } from '../step/form.js';
import type { AddressOf } from '../step/step.js';
import { describable } from '../library/oauth-errors.js';
import { firstUseIn, type PayloadStore } from '../library/payload-adapter.js';
import { userAgentOf } from '../middleware/recording.js';
import type { RefusalRecords } from '../throttling/refusal-records.js';
import type { KnownProviders } from './known-providers.js';
import { readLogoutToken, type LogoutToken } from './logout-token.js';

export interface BackchannelLogoutParts {
  readonly store: PayloadStore;
  readonly providers: KnownProviders;
  readonly identities: Identities;
  readonly recorder: Recorder;
  readonly logger: Logger;
  readonly refusals: RefusalRecords;
  readonly addressOf: AddressOf;
}

class RefusedToken extends Error {
  override readonly name = 'RefusedToken';
}

interface Known {
  readonly provider: IdentityProviderRow;
  readonly token: LogoutToken;
}

/**
 * Takes a provider's message that a person has signed out there (OpenID Connect Back-Channel Logout 1.0). All tokens and
 * sessions of the person end, or the sign-ins of one session there, in one transaction with the record. A logout token
 * works once.
 */
export class BackchannelLogout {
  constructor(private readonly parts: BackchannelLogoutParts) {}

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const waitSeconds = this.parts.refusals.waitSeconds('revocation', this.parts.addressOf(request));
      if (waitSeconds > 0) {
        slowDown(response, waitSeconds);
        return;
      }
      await this.end(request, await this.read(request));
      send(response, 200);
    } catch (error) {
      await this.answer(request, response, error).catch((failure: unknown) => {
        this.fail(response, failure);
      });
    }
  }

  private async read(request: IncomingMessage): Promise<Known> {
    const form = new URLSearchParams((await readForm(request)).toString());
    const text = form.get('logout_token') ?? '';
    const { iss } = decodeJwt(text);
    const provider = iss === undefined ? undefined : await this.parts.providers.byIssuer(iss);
    if (provider === undefined) throw new RefusedToken('the issuer is not trusted');
    const keys = await this.parts.providers.keysOf(provider);
    return { provider, token: await readLogoutToken(text, provider, keys) };
  }

  private async end(request: IncomingMessage, { provider, token }: Known): Promise<void> {
    const { store, identities, recorder } = this.parts;
    await store.database.transaction(async (tx) => {
      const { jti, expiresAtSeconds } = token;
      if (!(await firstUseIn(tx, store, `logout ${provider.issuer}`, jti, expiresAtSeconds)))
        throw new RefusedToken('the token was used before');
      const ended = await identities.signOut(tx, provider, token);
      await recorder.recordAuthEventIn(tx, {
        ...this.base(request),
        outcome: 'success',
        detail: `back-channel logout, provider ${provider.name}${ofWhom(token)}`,
        ...(ended === undefined ? {} : { userId: ended.user.id, changes: ended.changes }),
      });
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> {
    const reason = reasonOf(error);
    if (reason === undefined) {
      this.fail(response, error);
      return;
    }
    const waitSeconds = await this.parts.refusals.record({
      ...this.base(request),
      outcome: 'refused',
      errorCode: 'invalid_request',
      detail: `back-channel logout: ${reason}`,
    });
    if (waitSeconds > 0) slowDown(response, waitSeconds);
    else send(response, 400, { error: 'invalid_request', error_description: describable(reason) });
  }

  private fail(response: ServerResponse, error: unknown): void {
    this.parts.logger.error({ err: error }, 'a back-channel logout failed');
    send(response, 503, { error: 'temporarily_unavailable', error_description: 'try again later' });
  }

  private base(request: IncomingMessage) {
    const userAgent = userAgentOf(request);
    const address = this.parts.addressOf(request);
    return { kind: 'revocation' as const, address, ...(userAgent === undefined ? {} : { userAgent }) };
  }
}

const ofWhom = ({ subject, session }: LogoutToken): string =>
  [subject === undefined ? '' : `, subject ${subject}`, session === undefined ? '' : ', one session'].join(
    '',
  );

/** Why a token is refused. Undefined for a failure of ours or of the provider. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof RefusedToken || error instanceof FormError) return error.message;
  if (error instanceof ZodError)
    return `the claim ${error.issues[0]?.path.join('.') ?? ''} is not that of a logout token`;
  if (error instanceof errors.JOSEError && !keyFailures.has(error.code)) return error.message.slice(0, 200);
  return undefined;
}

/** The provider's keys could not be read. The library has no code of its own for an answer without keys. */
const keyFailures: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKSInvalid.code,
  errors.JWKSTimeout.code,
]);

function slowDown(response: ServerResponse, waitSeconds: number): void {
  const body = { error: 'slow_down', error_description: 'too many refused requests' };
  send(response, 429, body, { 'retry-after': String(waitSeconds) });
}

function send(
  response: ServerResponse,
  status: number,
  body?: object,
  headers: Record<string, string> = {},
): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(text);
}
