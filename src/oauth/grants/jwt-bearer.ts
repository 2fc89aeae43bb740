import type { TokenEndpointGrantContext } from 'oidc-provider';
import type { ForeignTokens } from '../foreign-tokens/foreign-tokens.js';
import { jwtBearer } from '../library/agent-clients.js';
import { actingClientOf } from '../library/library-internals.js';
import { errors } from '../library/oidc-provider.js';
import { requireBinding } from './token-binding.js';
import { issueToken, type IssueParts } from './issue-token.js';
import { requestedResource } from './requested-resource.js';
import { requestedUse } from './token-exchange.js';

export const jwtBearerParameters = ['assertion', 'scope', 'resource', 'authorization_details'];

/**
 * RFC 7523 with one kind of assertion: an ID-JAG, which the company's identity provider issues to an agent
 * (draft-ietf-oauth-identity-assertion-authz-grant). As in a token exchange, the person has consented to the agent, or
 * `authorization_details` names a delegation.
 */
export const makeJwtBearer =
  (foreignTokens: ForeignTokens, parts: IssueParts) =>
  async (ctx: TokenEndpointGrantContext): Promise<void> => {
    const client = actingClientOf(ctx.oidc.client);
    if (client === undefined) throw new errors.UnauthorizedClient('only agents use this grant type');
    const { assertion: text } = ctx.oidc.params;
    if (typeof text !== 'string' || text === '')
      throw new errors.InvalidRequest('missing required parameter assertion');
    const proof = await requireBinding(ctx);
    const resource = await requestedResource(ctx, null);
    const requested = requestedUse(ctx);
    const presented = { text, type: 'id-jag', client, proof, requested } as const;
    const grant = await foreignTokens.grant(ctx, { ...presented, resource: resource.identifier() });
    const within = requested.scopes ?? grant.scopes;
    await issueToken(ctx, parts, { grant, within, resource, proof, grantType: jwtBearer });
  };
