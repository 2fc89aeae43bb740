import { passkeyAcr } from '../authority/chain.js';
import { clientSigningAlgorithms } from '../core/client-keys.js';
import { delegationType, consentType } from './library/authorization-details.js';
import { deviceCodeGrant } from './library/device-codes.js';
import { jwtBearer, tokenExchange } from './library/agent-clients.js';
import { clientAuthMethods } from './configuration.js';
import { dpopAlgorithms } from './dpop.js';
import { paths } from './contract/paths.js';
import type { OAuthSettings } from './contract/dependencies.js';
import { guardedPaths, resourceAt, type GuardedPath } from './contract/resources.js';

/**
 * RFC 8414, with members of RFC 8705, RFC 9207, RFC 9396, RFC 9449 and RFC 9728 section 4. It has no `scopes_supported`, since
 * anybody may read it: see docs/decisions/0115-scopes-are-told-to-callers.md.
 */
export function authorizationServerMetadata(settings: OAuthSettings): Record<string, unknown> {
  const url = (path: string): string => `${settings.issuer}${path}`;
  const { mutualTls } = settings;
  const isOffered = (method: string): boolean => {
    if (method.startsWith('client_secret_')) return settings.staticSecrets;
    if (method === 'tls_client_auth') return (mutualTls?.authorities ?? []).length > 0;
    return method !== 'self_signed_tls_client_auth' || mutualTls !== undefined;
  };
  const methods = clientAuthMethods.filter(isOffered);
  return {
    issuer: settings.issuer,
    authorization_endpoint: url(paths.authorize),
    pushed_authorization_request_endpoint: url(paths.pushedAuthorizationRequest),
    require_pushed_authorization_requests: false,
    device_authorization_endpoint: url(paths.deviceAuthorization),
    token_endpoint: url(paths.token),
    revocation_endpoint: url(paths.revocation),
    introspection_endpoint: url(paths.introspection),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: [
      ...['authorization_code', 'refresh_token', 'client_credentials'],
      ...[deviceCodeGrant, tokenExchange, jwtBearer],
    ],
    // draft-ietf-oauth-identity-assertion-authz-grant
    authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
    code_challenge_methods_supported: ['S256'],
    acr_values_supported: [passkeyAcr],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: clientSigningAlgorithms,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: clientSigningAlgorithms,
    introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== 'none'),
    introspection_endpoint_auth_signing_alg_values_supported: clientSigningAlgorithms,
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: settings.clientDocuments,
    ...(settings.clientRegistration ? { registration_endpoint: url(paths.registration) } : {}),
    authorization_details_types_supported: [delegationType, consentType],
    dpop_signing_alg_values_supported: dpopAlgorithms,
    ...certificateMembers(settings),
    protected_resources: guardedPaths.map((path) => resourceAt(settings.issuer, path)),
  };
}

/** The endpoints at which clients authenticate. */
const aliased = {
  token_endpoint: paths.token,
  revocation_endpoint: paths.revocation,
  introspection_endpoint: paths.introspection,
  pushed_authorization_request_endpoint: paths.pushedAuthorizationRequest,
  device_authorization_endpoint: paths.deviceAuthorization,
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
