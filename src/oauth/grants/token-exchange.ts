import type { AccessToken, ResourceServerInstance, TokenEndpointGrantContext } from 'oidc-provider';
import { errors } from '../library/oidc-provider.js';
import { delegationDetails, delegationType, onlyDelegation } from '../library/authorization-details.js';
import { tokenExchange } from '../library/agent-clients.js';
import { actingClientOf, agentIdOf } from '../library/library-internals.js';
import {
  type ActingClient,
  type Delegations,
  type TaskDetails,
  type TokenGrant,
} from '../contract/dependencies.js';
import type { ForeignTokenType } from '../../delegation/token-dialects.js';
import type { ForeignTokens } from '../foreign-tokens/foreign-tokens.js';
import { isSignedJwt } from '../foreign-tokens/read-token.js';
import { serverMember } from '../library/resource-server-clients.js';
import { inOAuthWords } from '../library/oauth-errors.js';
import { requestedScopes } from './client-credentials.js';
import { requestedResource } from './requested-resource.js';
import { issueToken, type IssueParts } from './issue-token.js';
import { serverNoted } from '../resources.js';
import { generationOf } from '../library/token-lookup.js';
import { requireBinding, type DpopProof } from './token-binding.js';
import { bindingFault } from './presented-token.js';

const tokenType = (name: ForeignTokenType): string => `urn:ietf:params:oauth:token-type:${name}`;
const accessTokenType = tokenType('access_token');
const subjectTokenTypes = ['access_token', 'id_token', 'jwt'] as const;
export const tokenExchangeParameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'audience',
  'resource',
  'scope',
  'authorization_details',
];

const single = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

interface PresentedSubject {
  readonly text: string;
  /** Undefined for a token of this server. */
  readonly foreign: ForeignTokenType | undefined;
}

/** The subject token. Throws for parameters of RFC 8693 section 2.1 that are not supported here. */
function checkParameters(ctx: TokenEndpointGrantContext): PresentedSubject {
  const { params } = ctx.oidc;
  const text = single(params.subject_token);
  if (text === undefined) throw new errors.InvalidRequest('missing required parameter subject_token');
  const type = subjectTokenTypes.find((name) => params.subject_token_type === tokenType(name));
  if (type === undefined) {
    throw new errors.InvalidRequest(
      `subject_token_type must be one of ${subjectTokenTypes.map(tokenType).join(', ')}`,
    );
  }
  if (params.requested_token_type !== undefined && params.requested_token_type !== accessTokenType) {
    throw new errors.InvalidRequest(`requested_token_type must be ${accessTokenType}`);
  }
  if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
    throw new errors.InvalidRequest('the actor is the authenticated client; send no actor_token');
  }
  return { text, foreign: type === 'access_token' && !isSignedJwt(text) ? undefined : type };
}

/** The resource of the new token (RFC 8693 section 2.1): `audience` may name it as well. */
async function resourceOf(
  ctx: TokenEndpointGrantContext,
  granted: readonly string[] | null,
): Promise<ResourceServerInstance> {
  const resource = await requestedResource(ctx, granted);
  const { audience } = ctx.oidc.params;
  if (audience !== undefined && audience !== resource.identifier())
    throw new errors.InvalidTarget('unknown audience');
  return resource;
}

/** The subject token, if it is active and this client may present it (RFC 8693 section 2.2.2). */
async function findSubject(
  ctx: TokenEndpointGrantContext,
  value: string,
  proof: DpopProof,
  parts: IssueParts,
): Promise<AccessToken> {
  const { provider, client } = ctx.oidc;
  const subject = await provider.AccessToken.find(value);
  const stands = subject?.isValid === true && (await provider.Grant.find(subject.grantId)) !== undefined;
  if (subject === undefined || !stands) throw new errors.InvalidRequest('the subject_token is not active');
  if (subject.clientId === client.clientId) {
    throw new errors.InvalidRequest('an agent cannot delegate to itself; the next agent presents this token');
  }
  const fault = bindingFault(ctx, subject, proof, parts);
  if (fault !== undefined) throw new errors.InvalidRequest(`the subject_token ${fault}`);
  return subject;
}

interface Exchange {
  readonly client: ActingClient;
  readonly subject: AccessToken;
  readonly resource: string;
  readonly requested: TaskDetails & { readonly scopes?: readonly string[] };
}

/** A person's token makes a delegation, an agent's token a sub-delegation. */
async function exchange(
  ctx: TokenEndpointGrantContext,
  delegations: Delegations,
  { client, subject, resource, requested }: Exchange,
): Promise<TokenGrant> {
  const delegationId = delegationDetails(subject.rar)?.delegation;
  const scopes = [...subject.scopes];
  if (delegationId === undefined) {
    return delegations.exchangePersonToken({
      ...requested,
      ...client,
      userId: subject.accountId,
      resource,
      ...(typeof subject.extra?.acr === 'string' ? { acr: subject.extra.acr } : {}),
      personTokenScopes: scopes,
    });
  }
  // Read again: a stopped parent agent cannot delegate.
  const parent = await ctx.oidc.provider.Client.find(subject.clientId ?? '');
  const fromAgentId = agentIdOf(parent);
  if (fromAgentId === undefined) throw new errors.InvalidRequest('the subject_token is not active');
  return delegations.exchangeAgentToken({
    ...requested,
    ...client,
    delegationId,
    resource,
    parentTokenScopes: scopes,
    parentGeneration: generationOf(subject.extra),
    fromAgentId,
  });
}

type RequestedUse = Exchange['requested'] & { readonly delegation?: string };

/** The delegation that a request names, or the new one that it describes. */
export function requestedUse(ctx: TokenEndpointGrantContext): RequestedUse {
  const { type: _type, ...use } = onlyDelegation(ctx.oidc.params.authorization_details) ?? {
    type: delegationType,
  };
  if ('delegation' in use && Object.keys(use).length > 1) {
    throw new errors.InvalidAuthorizationDetails('name a delegation, or describe a new one');
  }
  const scopes = requestedScopes(ctx);
  return { ...use, ...(scopes === undefined ? {} : { scopes }) };
}

function requestedTask(ctx: TokenEndpointGrantContext): Exchange['requested'] {
  const { delegation, ...task } = requestedUse(ctx);
  if (delegation !== undefined) {
    throw new errors.InvalidAuthorizationDetails('an exchange makes a new delegation; name none');
  }
  return task;
}

/**
 * Token exchange (RFC 8693). The authenticated client is the agent that will act, and the subject token is the token it
 * was handed:
 * - a person's access token makes a delegation, where the person consented to this agent (`may_act`, section 4.4);
 * - another agent's access token makes a sub-delegation from that agent to this one, and `act` nests (section 4.1);
 * - a token of a trusted issuer stands for the person, with this agent as its actor: see `ForeignTokens`.
 * So each agent proves its own identity, and none ever holds a token of another agent. The new token is never wider
 * than the subject token, and for the same resource. The new delegation is described in `authorization_details`:
 * `[{"type":"behalf_delegation","task":"ticket:4711","purpose":"…"}]`.
 */
export const makeTokenExchange =
  (delegations: Delegations, foreignTokens: ForeignTokens, parts: IssueParts) =>
  async (ctx: TokenEndpointGrantContext): Promise<void> => {
    const client = actingClientOf(ctx.oidc.client);
    if (client === undefined) throw new errors.UnauthorizedClient('only agents use this grant type');
    const { text, foreign } = checkParameters(ctx);
    const proof = await requireBinding(ctx);
    const issue = { proof, grantType: tokenExchange, issuedTokenType: accessTokenType };
    if (foreign !== undefined) {
      const resource = await resourceOf(ctx, null);
      const requested = requestedUse(ctx);
      const presented = { text, type: foreign, client, proof, requested };
      const grant = await foreignTokens.grant(ctx, { ...presented, resource: resource.identifier() });
      await issueToken(ctx, parts, { ...issue, grant, resource, within: requested.scopes ?? grant.scopes });
      return;
    }
    const requested = requestedTask(ctx);
    const subject = await findSubject(ctx, text, proof, parts);
    // The subject token was for one resource, and so is what comes of it.
    const resource = await resourceOf(ctx, [subject.aud ?? []].flat());
    if (subject.extra?.[serverMember] !== serverNoted(ctx, resource.identifier())?.id)
      throw new errors.InvalidRequest('the subject_token is not active');
    const grant = await inOAuthWords('invalid_request', () =>
      exchange(ctx, delegations, { client, subject, resource: resource.identifier(), requested }),
    );
    const within = (requested.scopes ?? grant.scopes).filter((scope) => subject.scopes.has(scope));
    await issueToken(ctx, parts, { ...issue, grant, resource, within });
  };
