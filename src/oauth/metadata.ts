import { passkeyAcr } from '../authority/chain.js';
import { delegationType } from './library/authorization-details.js';
import { dpopAlgorithms } from './dpop.js';
import { paths } from './contract/paths.js';
import { signingAlgorithm } from './signing/signing-keys.js';
import type { OAuthSettings } from './contract/dependencies.js';
import { ownResources, resourceAt, type GuardedPath } from '../core/guarded-paths.js';

type Members = Readonly<Record<string, unknown>>;

/**
 * Members of the library's document that are not true here. This server is no OpenID provider; it has endpoints of its own
 * for keys and registration; and anybody may read the document, so it has no `scopes_supported`: see
 * docs/decisions/0115-scopes-are-told-to-callers.md.
 */
const leftOut: ReadonlySet<string> = new Set([
  ...['claims_parameter_supported', 'claims_supported', 'claim_types_supported', 'subject_types_supported'],
  ...['id_token_signing_alg_values_supported', 'request_uri_parameter_supported', 'scopes_supported'],
  ...['jwks_uri', 'registration_endpoint', 'client_id_metadata_document_supported'],
  'tls_client_certificate_bound_access_tokens',
]);

/** The methods that clients can use at an endpoint, with the algorithms of their assertions. */
const authenticationAt = (endpoint: string, methods: readonly unknown[], algorithms: unknown): Members => ({
  [`${endpoint}_endpoint_auth_methods_supported`]: methods,
  [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: algorithms,
});

/**
 * RFC 8414, with members of RFC 8705, RFC 9207, RFC 9396, RFC 9449, RFC 9728 section 4 and OpenID CIBA. The library says
 * what it has switched on; the rest is of this project.
 * @param library the library's own document
 */
export function authorizationServerMetadata(
  settings: OAuthSettings,
  library: Members,
  hasSigningKeys: boolean,
): Members {
  const url = (path: string): string => `${settings.issuer}${path}`;
  const { mutualTls } = settings;
  const isOffered = (method: unknown): boolean => {
    if (String(method).startsWith('client_secret_')) return settings.staticSecrets;
    if (method === 'tls_client_auth') return (mutualTls?.authorities ?? []).length > 0;
    return method !== 'self_signed_tls_client_auth' || mutualTls !== undefined;
  };
  const methods = [library.token_endpoint_auth_methods_supported].flat().filter(isOffered);
  const algorithms = library.token_endpoint_auth_signing_alg_values_supported;
  return {
    issuer: settings.issuer,
    ...Object.fromEntries(
      Object.entries(library).filter(([name, value]) => value !== undefined && !leftOut.has(name)),
    ),
    // Clients have no other one, and `form_post` is not registered.
    response_modes_supported: ['query'],
    // draft-ietf-oauth-identity-assertion-authz-grant
    authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
    backchannel_user_code_parameter_supported: false,
    acr_values_supported: [passkeyAcr],
    ...authenticationAt('token', methods, algorithms),
    ...authenticationAt('revocation', methods, algorithms),
    ...authenticationAt(
      'introspection',
      methods.filter((method) => method !== 'none'),
      algorithms,
    ),
    // RFC 9701 section 7
    ...(hasSigningKeys && {
      jwks_uri: url(paths.jwks),
      introspection_signing_alg_values_supported: [signingAlgorithm],
    }),
    client_id_metadata_document_supported: settings.clientDocuments,
    ...(settings.clientRegistration && { registration_endpoint: url(paths.registration) }),
    ...certificateMembers(settings),
    protected_resources: ownResources(settings.issuer),
  };
}

/** The endpoints at which clients authenticate. */
const aliased = {
  token_endpoint: paths.token,
  revocation_endpoint: paths.revocation,
  introspection_endpoint: paths.introspection,
  pushed_authorization_request_endpoint: paths.pushedAuthorizationRequest,
  device_authorization_endpoint: paths.deviceAuthorization,
  backchannel_authentication_endpoint: paths.backchannelAuthentication,
};

/** RFC 8705 sections 3.3 and 5. */
function certificateMembers({ mutualTls }: OAuthSettings): Record<string, unknown> {
  if (mutualTls === undefined) return {};
  const { url } = mutualTls;
  const aliases = Object.entries(aliased).map(([name, path]) => [name, `${url ?? ''}${path}`]);
  return {
    tls_client_certificate_bound_access_tokens: true,
    ...(url === undefined ? {} : { mtls_endpoint_aliases: Object.fromEntries(aliases) as unknown }),
  };
}

/** The metadata of RFC 9728 section 2. */
export function protectedResourceMetadata(
  settings: OAuthSettings,
  path: GuardedPath,
): Record<string, unknown> {
  return {
    resource: resourceAt(settings.issuer, path),
    authorization_servers: [settings.issuer],
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: dpopAlgorithms,
    dpop_bound_access_tokens_required: false,
    ...(settings.mutualTls === undefined ? {} : { tls_client_certificate_bound_access_tokens: true }),
    authorization_details_types_supported: [delegationType],
    resource_name: 'Behalf',
  };
}
