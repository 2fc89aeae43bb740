import type { IncomingMessage } from 'node:http';
import type { Connection } from '../../store/sql/connection.js';
import type { IdentityProviderRow } from '../../store/tables/identity-providers.js';
import { firstUseIn } from '../library/first-use.js';
import { readForm } from '../step/form.js';
import { readLogoutToken, type LogoutToken } from './logout-token.js';
import {
  claimedIssuer,
  RefusedMessage,
  type Effect,
  type MessageKind,
  type MessageParts,
  whomInWords,
} from './message-endpoint.js';

interface Known {
  readonly provider: IdentityProviderRow;
  readonly token: LogoutToken;
}

/**
 * A provider's message that a person has signed out there (OpenID Connect Back-Channel Logout 1.0). All tokens and
 * sessions of the person end, or the sign-ins of one session there. A logout token works once.
 */
export class BackchannelLogout implements MessageKind<Known> {
  readonly name = 'back-channel logout';
  readonly accepted = 200;

  constructor(private readonly parts: Pick<MessageParts, 'store' | 'providers' | 'identities'>) {}

  async read(request: IncomingMessage): Promise<Known> {
    const form = new URLSearchParams((await readForm(request)).toString());
    const text = form.get('logout_token') ?? '';
    const iss = claimedIssuer(text);
    const provider = iss === undefined ? undefined : await this.parts.providers.byIssuer(iss);
    if (provider === undefined) throw new RefusedMessage('the issuer is not trusted');
    const keys = await this.parts.providers.keysOf(provider);
    return { provider, token: await readLogoutToken(text, provider, keys) };
  }

  async apply(tx: Connection, { provider, token }: Known): Promise<Effect> {
    const { store, identities } = this.parts;
    const { jti, expiresAtSeconds } = token;
    if (!(await firstUseIn(tx, store, `logout ${provider.issuer}`, jti, expiresAtSeconds)))
      throw new RefusedMessage('the token was used before');
    const ended = await identities.signOut(tx, provider, token);
    return { detail: whomInWords(provider, token), ended };
  }

  refusal(_error: Error, reason: string): { code: string; body: object } {
    const code = 'invalid_request';
    return { code, body: { error: code, error_description: reason } };
  }
}
