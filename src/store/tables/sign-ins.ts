import { clientIdLengthMax } from '../../core/client-ids.js';
import { id, nullable, table, text, time, type RowOf } from './table.js';

/**
 * The sign-ins of people. Each has a grant of its own at the authorization server, and lasts as long as that grant: to
 * end a sign-in, delete what `oauth_payloads` holds of its grant.
 */
export const signIns = table(
  'SignIn',
  'sign_ins',
  {
    id: id(),
    userId: id('users'),
    grantId: text(64),
    /** The program's OAuth `client_id`. */
    clientId: text(clientIdLengthMax),
    program: text(200),
    /** password, passkey, provider */
    method: text(20),
    providerId: nullable(id('identity_providers')),
    /** The provider's label at the sign-in. */
    provider: nullable(text(60)),
    /** The digest of the provider's session (`sid`), where its ID token named one. */
    providerSession: nullable(text(64)),
    address: text(60),
    userAgent: nullable(text(300)),
    createdAt: time(),
    /** When the program last got a token. Null until it has its first one. */
    lastUsedAt: nullable(time()),
    expiresAt: time(),
  },
  ['id'],
  { unique: [['grantId']], indexes: [['userId'], ['providerId', 'providerSession'], ['expiresAt']] },
);

export type SignInRow = RowOf<typeof signIns>;
