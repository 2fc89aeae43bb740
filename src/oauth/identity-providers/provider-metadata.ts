import type { ServerMetadata } from 'openid-client';
import { isLoopbackHost } from '../../core/loopback.js';
import type { IdentityProviderRow } from '../../store/tables/identity-providers.js';

/** The accepted signature algorithms of ID tokens. All use public keys; `none` and those of the client secret do not. */
export const idTokenAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] as const;

export interface MetadataReport {
  /** While there is one, nobody can sign in. */
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

/** Whether a URL has https, or plain http where the settings allow it or the host is this machine. */
export function isSafeUrl(text: string | undefined, allowHttp: boolean): boolean {
  if (text === undefined || !URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && (allowHttp || isLoopbackHost(hostname)));
}

/** Whether this server sends a provider a request over plain http. `isSafeUrl` has accepted each of these URLs. */
export const usesHttp = ({ issuer, ...metadata }: ServerMetadata): boolean =>
  [issuer, metadata.token_endpoint, metadata.jwks_uri, metadata.userinfo_endpoint].some(
    (url) => url !== undefined && new URL(url).protocol === 'http:',
  );

/** Compares a provider's metadata (OpenID Connect Discovery section 3) with what signing in needs. */
export function metadataReport(
  provider: Pick<IdentityProviderRow, 'issuer' | 'scopes'>,
  metadata: ServerMetadata,
  allowHttp: boolean,
): MetadataReport {
  const faults = [
    ...(metadata.issuer === provider.issuer
      ? []
      : [`it calls itself ${metadata.issuer}: add the provider under this issuer`]),
    ...endpoints
      .filter((name) => !isSafeUrl(metadata[name], allowHttp))
      .map((name) => `its metadata has no ${name} with https`),
    ...(metadata.userinfo_endpoint === undefined || isSafeUrl(metadata.userinfo_endpoint, allowHttp)
      ? []
      : ['its userinfo_endpoint is without https']),
    ...lacks(metadata.response_types_supported, ['code'], 'response type'),
    ...lacks(
      metadata.id_token_signing_alg_values_supported ?? ['RS256'],
      idTokenAlgorithms,
      'signature of ID tokens',
    ),
    ...lacks(metadata.token_endpoint_auth_methods_supported, secretMethods, 'client authentication'),
    ...lacks(metadata.code_challenge_methods_supported, ['S256'], 'PKCE method'),
  ];
  const scopes = metadata.scopes_supported;
  const unknown = scopes === undefined ? [] : provider.scopes.filter((scope) => !scopes.includes(scope));
  const notes = [
    ...unknown.map((scope) => `it does not list the scope ${scope}`),
    ...(metadata.code_challenge_methods_supported === undefined
      ? ['it does not say that it knows PKCE']
      : []),
    ...(metadata.authorization_response_iss_parameter_supported === true
      ? []
      : ['it does not send its issuer with its answer (RFC 9207); the redirect URI tells providers apart']),
  ];
  return { faults, notes };
}

const endpoints = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;
const secretMethods = ['client_secret_basic', 'client_secret_post'] as const;

/** Metadata without the member has no fault: the provider may offer everything. */
const lacks = (offered: readonly string[] | undefined, needed: readonly string[], what: string): string[] =>
  offered === undefined || needed.some((one) => offered.includes(one))
    ? []
    : [`it offers no ${what} of ${needed.join(', ')}`];
