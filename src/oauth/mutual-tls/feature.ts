import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { OAuthDependencies } from '../contract/dependencies.js';
import { isAuthorized } from './authorities.js';
import { hasName } from './certificate-names.js';

type Feature = NonNullable<NonNullable<Configuration['features']>['mTLS']>;

/** RFC 8705. It is always on: without certificates, what needs one is refused. */
export function mutualTls({ certificateOf, clock, settings }: OAuthDependencies): Feature {
  const { authorities } = settings.mutualTls ?? { authorities: [] };
  const certificate = ({ req }: KoaContextWithOIDC) => certificateOf(req);
  return {
    enabled: true,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: true,
    getCertificate: certificate,
    certificateAuthorized: (ctx) => {
      const given = certificate(ctx);
      return given !== undefined && isAuthorized(given, authorities, clock.now());
    },
    certificateSubjectMatches: (ctx, member, value) => {
      const given = certificate(ctx);
      return given !== undefined && hasName(given, { kind: kinds[member], value });
    },
  };
}

/** Client authentication by a certificate (RFC 8705 section 2). */
export const certificateMethods = ['tls_client_auth', 'self_signed_tls_client_auth'] as const;

const kinds = {
  tls_client_auth_subject_dn: 'subject_dn',
  tls_client_auth_san_dns: 'san_dns',
  tls_client_auth_san_uri: 'san_uri',
  tls_client_auth_san_ip: 'san_ip',
  tls_client_auth_san_email: 'san_email',
} as const;
