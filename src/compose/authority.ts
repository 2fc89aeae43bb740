import { GuardedFetch } from '../core/outgoing/guarded-fetch.js';
import { ClientRegistry } from '../admin/client-registry.js';
import { Passkeys } from '../admin/passkeys.js';
import { ProviderAccounts } from '../admin/provider-accounts.js';
import { AuthRecords } from '../delegation/auth-records.js';
import { Authorities } from '../delegation/authorities.js';
import { AuthorityEpoch } from '../delegation/authority-epoch.js';
import { OAuthDelegations } from '../delegation/oauth-delegations.js';
import { CommitGate } from '../delegation/commit-gate.js';
import { accountClient, commandLineClient, defaultLimits } from '../oauth/contract/dependencies.js';
import { createOAuth, type OAuth } from '../oauth/server.js';
import { SigningKeys } from '../oauth/signing/signing-keys.js';
import type { AccessTokenFact } from '../oauth/library/token-lookup.js';
import type { Basics } from './basics.js';
import { mutualTlsOf } from './mutual-tls.js';
import type { ComposedSchema } from './schema.js';

/** The parts that decide rights, and those that record sign-ins and tokens. */
export interface ComposedAuthority {
  readonly authorities: Authorities<AccessTokenFact>;
  readonly commitGate: CommitGate;
  readonly recorder: AuthRecords;
  readonly oauth: OAuth;
  readonly signingKeys: SigningKeys | undefined;
}

export function composeAuthority(
  { config, database, clock, ids, logger, metrics, addressOf, certificateOf }: Basics,
  { catalog, policy, peopleOnly }: ComposedSchema,
): ComposedAuthority {
  const epoch = new AuthorityEpoch(database.read, metrics.epochRead);
  const authorities = new Authorities<AccessTokenFact>(database.read, epoch, clock, peopleOnly);
  const commitGate = new CommitGate(database, clock, metrics.committed);
  const recorder = new AuthRecords(database, commitGate, clock, ids);
  const { BEHALF_SIGNING_KEY_SECRETS: secrets } = config;
  const signingKeys = secrets === undefined ? undefined : new SigningKeys(database, clock, secrets);
  const oauth = createOAuth({
    signingKeys,
    database,
    clock,
    ids,
    logger,
    recorder,
    addressOf,
    certificateOf,
    outgoing: new GuardedFetch({
      allowHttp: config.BEHALF_ALLOW_HTTP,
      privateHosts: config.BEHALF_PRIVATE_HOSTS,
    }),
    identities: new ProviderAccounts(clock, ids),
    documentFetch: new GuardedFetch({
      allowHttp: config.BEHALF_ALLOW_HTTP,
      privateHosts: config.BEHALF_CLIENT_METADATA_HOSTS,
    }),
    clients: new ClientRegistry(clock, ids),
    passkeys: new Passkeys(clock, ids, config.publicUrl),
    delegations: new OAuthDelegations(database, authorities, clock, ids, catalog, recorder),
    settings: {
      issuer: config.publicUrl,
      scopes: [...policy.definitions.keys()],
      accessTokenTtlSeconds: config.BEHALF_ACCESS_TOKEN_SECONDS,
      refreshTokenTtlSeconds: config.BEHALF_SIGN_IN_SECONDS,
      cookieKeys: config.cookieKeys,
      clients: [commandLineClient, accountClient(config.publicUrl)],
      allowHttp: config.BEHALF_ALLOW_HTTP,
      mutualTls: mutualTlsOf(config),
      staticSecrets: config.BEHALF_STATIC_SECRETS === 'on',
      passwordUsers: config.BEHALF_PASSWORD_USERS,
      clientDocuments: config.clientDocuments,
      clientRegistration: config.clientRegistration,
      limits: defaultLimits,
    },
  });
  return { authorities, commitGate, recorder, oauth, signingKeys };
}
