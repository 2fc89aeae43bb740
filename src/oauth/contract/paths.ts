/** The paths of the endpoints, below the issuer. */
export const paths = {
  authorize: '/oauth/authorize',
  pushedAuthorizationRequest: '/oauth/par',
  deviceAuthorization: '/oauth/device_authorization',
  /** OpenID CIBA section 7. */
  backchannelAuthentication: '/oauth/backchannel_authentication',
  /** Where a person enters the code of a device. */
  device: '/oauth/device',
  token: '/oauth/token',
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  /** RFC 7591; only where the settings say so. */
  registration: '/oauth/register',
  jwks: '/oauth/jwks',
  interaction: '/oauth/interaction',
  /** Followed by the name of an identity provider: its redirect URI. */
  callback: '/oauth/callback',
  backchannelLogout: '/oauth/backchannel_logout',
  securityEvents: '/oauth/security_events',
  signedIn: '/oauth/signed-in',
  /** The script of pages that use passkeys. */
  passkeyScript: '/oauth/passkey.js',
  metadata: '/.well-known/oauth-authorization-server',
} as const;

/** The pages of a person's own account that signing in uses. */
export const accountPaths = {
  home: '/account',
  signIn: '/account/sign-in',
  signedIn: '/account/signed-in',
  /** Followed by the row id of an application that waits. */
  applications: '/account/applications',
} as const;

/** The methods that a path below the issuer takes; none where there is no route. */
export function methodsAt(path: string): readonly string[] {
  if (
    path === paths.backchannelLogout ||
    path === paths.securityEvents ||
    path === paths.pushedAuthorizationRequest ||
    path === paths.deviceAuthorization ||
    path === paths.backchannelAuthentication ||
    path === paths.registration ||
    path === paths.token ||
    path === paths.revocation ||
    path === paths.introspection
  )
    return ['POST'];
  if (
    path === paths.metadata ||
    path === paths.jwks ||
    path === paths.signedIn ||
    path === paths.passkeyScript
  )
    return ['GET', 'HEAD'];
  if (path.startsWith(`${paths.interaction}/`) || path === paths.device) return ['GET', 'POST'];
  if (/^\/oauth\/callback\/[a-z0-9-]+$/.test(path)) return ['GET'];
  return isProviderPath(path) ? ['GET'] : [];
}

/** Whether a request may reach this endpoint of the library, which has more than are offered. */
export function isProviderPath(path: string): boolean {
  return (
    path === paths.pushedAuthorizationRequest ||
    path === paths.deviceAuthorization ||
    path === paths.backchannelAuthentication ||
    path === paths.device ||
    path === paths.token ||
    path === paths.revocation ||
    path === paths.introspection ||
    path === paths.authorize ||
    /^\/oauth\/(?:authorize|device)\/[A-Za-z0-9_-]+$/.test(path)
  );
}
