import { flag, id, int, json, nullable, table, text, time, type RowOf } from './table.js';

/** OpenID Connect providers with which people sign in. */
export const identityProviders = table(
  'IdentityProvider',
  'identity_providers',
  {
    id: id(),
    /** In commands, and in the redirect URI; unique. */
    name: text(40),
    /** The text of its button on the sign-in page. */
    label: text(60),
    /** The issuer identifier, exactly as in ID tokens; unique. */
    issuer: text(255),
    clientId: text(255),
    /** Sealed: see `src/store/sql/provider-secrets.ts`. */
    clientSecret: text(800),
    scopes: json<readonly string[]>(),
    /** The claim that lists a person's groups. */
    groupsClaim: text(100),
    /** The claim from which a new account's name is made. */
    userNameClaim: text(100),
    /** Whether a person without an account gets one. */
    mayCreateUsers: flag(),
    createdAt: time(),
    version: int(),
  },
  ['id'],
  { unique: [['name'], ['issuer']] },
);

/** Who a person is at a provider. `subject` is unique there, and never given to another person. */
export const userIdentities = table(
  'UserIdentity',
  'user_identities',
  {
    providerId: id('identity_providers'),
    subject: text(255),
    userId: id('users'),
    createdAt: time(),
    /** When the provider last reported that the person has signed out there. */
    signedOutAt: nullable(time()),
  },
  ['providerId', 'subject'],
  { indexes: [['userId']] },
);

/** From whom security events about a provider's people are taken (OpenID Shared Signals Framework). */
export const signalTransmitters = table(
  'SignalTransmitter',
  'signal_transmitters',
  {
    providerId: id('identity_providers'),
    /** The `iss` of its tokens, which may differ from the issuer of ID tokens; unique. */
    issuer: text(255),
    audience: text(255),
    /** Null: its keys are those of the provider. */
    keysUri: nullable(text(500)),
    /** The digest of the `Authorization` header that it sends. Null: it need not send one. */
    authorizationDigest: nullable(text(64)),
    createdAt: time(),
  },
  ['providerId'],
  { unique: [['issuer']] },
);

/** Which roles a provider's groups give. */
export const providerGroupRoles = table(
  'ProviderGroupRole',
  'provider_group_roles',
  {
    providerId: id('identity_providers'),
    groupName: text(255),
    roleId: id('roles'),
    grantedBy: id('users'),
    grantedAt: time(),
  },
  ['providerId', 'groupName', 'roleId'],
  { indexes: [['roleId']] },
);

/** The roles of people that come from a provider. A role without a row here was assigned by hand. */
export const providedUserRoles = table(
  'ProvidedUserRole',
  'provided_user_roles',
  { userId: id('users'), roleId: id('roles'), providerId: id('identity_providers') },
  ['userId', 'roleId', 'providerId'],
  { indexes: [['providerId']] },
);

export type IdentityProviderRow = RowOf<typeof identityProviders>;
export type UserIdentityRow = RowOf<typeof userIdentities>;
export type SignalTransmitterRow = RowOf<typeof signalTransmitters>;
export type ProviderGroupRoleRow = RowOf<typeof providerGroupRoles>;
export type ProvidedUserRoleRow = RowOf<typeof providedUserRoles>;
