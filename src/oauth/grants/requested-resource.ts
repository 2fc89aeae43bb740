import type { ResourceServerInstance, TokenEndpointGrantContext } from 'oidc-provider';
import { resolveRequestedResources } from 'oidc-provider/lib/helpers/grants.js';
import { defaultResource } from '../contract/resources.js';
import { resourceCeilingOf } from '../library/library-internals.js';
import { errors } from '../library/oidc-provider.js';

/**
 * The one resource of a token request (RFC 8707 section 2.2): the one that it names, or that follows from what was granted.
 * Throws `invalid_target`.
 * @param granted null: all resources
 */
export async function requestedResource(
  ctx: TokenEndpointGrantContext,
  granted: readonly string[] | null,
): Promise<ResourceServerInstance> {
  const { body, client, params, provider } = ctx.oidc;
  const within = both(granted, resourceCeilingOf(client));
  // The library may have put a default among the parameters; the body has what was sent.
  const identifier = only(body?.resource) ?? usualOf(within, defaultResource(provider.issuer));
  if (granted?.includes(identifier) === false)
    throw new errors.InvalidTarget(`this is for other resources: ${granted.join(' ')}`);
  params.resource = identifier;
  await resolveRequestedResources(provider, ctx);
  const server = ctx.oidc.resourceServers[identifier];
  if (server === undefined) throw new errors.InvalidTarget();
  return server;
}

/** The granted resources within the client's ceiling. */
const both = (
  granted: readonly string[] | null,
  ceiling: readonly string[] | undefined,
): readonly string[] | null =>
  granted === null ? (ceiling ?? null) : granted.filter((one) => ceiling?.includes(one) !== false);

function only(requested: unknown): string | undefined {
  if (requested === undefined || requested === '') return undefined;
  const [identifier, another] = [requested].flat() as unknown[];
  if (typeof identifier === 'string' && another === undefined) return identifier;
  throw new errors.InvalidTarget('a token is for one resource: name one');
}

function usualOf(granted: readonly string[] | null, usual: string): string {
  if (granted === null || granted.includes(usual)) return usual;
  const [identifier, another] = granted;
  if (identifier === undefined) throw new errors.InvalidTarget('there is no resource left for this');
  if (another === undefined) return identifier;
  throw new errors.InvalidTarget(`name one resource: ${granted.join(' ')}`);
}
