import type { TokenEndpointGrantContext } from 'oidc-provider';
import type { ForeignTokenType } from '../../delegation/token-dialects.js';
import type {
  ActingClient,
  Delegations,
  Identities,
  TaskDetails,
  TokenGrant,
} from '../contract/dependencies.js';
import type { DpopProof } from '../grants/token-binding.js';
import { describable, inOAuthWords, TemporarilyUnavailable } from '../library/oauth-errors.js';
import { errors } from '../library/oidc-provider.js';
import { firstUseIn } from '../library/first-use.js';
import { noteForeignToken } from '../middleware/recording.js';
import { KeysOutOfReach } from './issuer-keys.js';
import { readForeignToken, refusalOf, type ForeignToken, type ReadingParts } from './read-token.js';
import { RefusedToken } from './refused-token.js';

interface ForeignTokenParts extends ReadingParts {
  readonly delegations: Pick<Delegations, 'exchangeForeignToken'>;
  readonly identities: Pick<Identities, 'partiesOf'>;
}

/** A token of another issuer, and what its client wants with it. */
interface Presented {
  readonly text: string;
  readonly type: ForeignTokenType;
  readonly client: ActingClient;
  readonly proof: DpopProof;
  /** The requested resource of this authorization server. */
  readonly resource: string;
  readonly requested: TaskDetails & { readonly delegation?: string; readonly scopes?: readonly string[] };
}

/**
 * Takes tokens of trusted issuers. A token says who the person and the agents are; rights come from the person's consent
 * or delegation alone. A token works once. Every refusal leaves its reason for the record.
 */
export class ForeignTokens {
  constructor(private readonly parts: ForeignTokenParts) {}

  async grant(ctx: TokenEndpointGrantContext, presented: Presented): Promise<TokenGrant> {
    const note = { claimed: '' };
    const say = (reason?: string): void => {
      const what = `token of another issuer (${presented.type}): ${note.claimed}`;
      noteForeignToken(ctx, reason === undefined ? what : `${reason} | ${what}`);
    };
    const code = presented.type === 'id-jag' ? 'invalid_grant' : 'invalid_request';
    try {
      const token = await readForeignToken(presented.text, presented.type, this.parts, (claimed) => {
        note.claimed = claimed;
        say();
      });
      requireClient(ctx, token, presented);
      return await inOAuthWords(code, () => this.exchange(token, presented, note.claimed));
    } catch (error) {
      if (error instanceof KeysOutOfReach) {
        say('the keys of the issuer cannot be read');
        throw new TemporarilyUnavailable(error);
      }
      const reason = refusalOf(error);
      if (reason === undefined) {
        if (error instanceof errors.OIDCProviderError) say(error.error_description);
        throw error;
      }
      say(reason);
      throw new errors.CustomOIDCProviderError(code, describable(reason));
    }
  }

  private exchange(
    token: ForeignToken,
    { client, requested, resource }: Presented,
    detail: string,
  ): Promise<TokenGrant> {
    const { delegations, identities, clock } = this.parts;
    const { issuer, subject, useId, usableUntilSeconds } = token;
    const { delegation: delegationId, ...task } = requested;
    return delegations.exchangeForeignToken({
      ...task,
      ...client,
      ...(delegationId === undefined ? {} : { delegationId }),
      resource,
      issuerId: issuer.id,
      subject,
      tokenScopes: token.scopes,
      detail,
      chainIn: (tx) => identities.partiesOf(tx, token),
      firstUseIn: (tx) => firstUseIn(tx, { clock }, `token ${issuer.issuer}`, useId, usableUntilSeconds),
    });
  }
}

/** The token must be for the client that presents it, and for its key. */
function requireClient(ctx: TokenEndpointGrantContext, token: ForeignToken, { proof }: Presented): void {
  const [acting] = token.actors.slice(-1);
  if (token.type === 'id-jag' && acting !== ctx.oidc.client.clientId)
    throw new RefusedToken('the claim client_id is not the authenticated client');
  if (token.thumbprint !== undefined && token.thumbprint !== proof?.thumbprint)
    throw new RefusedToken('the token is bound to a key that this request does not prove (RFC 9449)');
}
