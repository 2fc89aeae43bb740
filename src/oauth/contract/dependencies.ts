import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AuthEvent } from '../../delegation/auth-records.js';
import type {
  IdentityOutcome,
  ProvenIdentity,
  ProviderLogout,
  ProviderSession,
  SignedOut,
} from '../../delegation/proven-identity.js';
import type { PasskeyOutcome } from '../../delegation/proven-passkey.js';
import type { ClientChange, KeptClient, UnknownClient } from '../../delegation/unknown-client.js';
import type { UserRow } from '../../store/tables/identity.js';
import type { IdentityProviderRow } from '../../store/tables/identity-providers.js';
import type {
  AgentTokenInput,
  ClientCredentialsInput,
  ConsentChoice,
  ConsentInput,
  ConsentOffer,
  ForeignTokenInput,
  FoundValues,
  HandedOver,
  IssuedToken,
  KnownChain,
  LiveToken,
  NamedDelegation,
  PersonTokenInput,
  TaskChoice,
  TokenGrant,
  ValueSearch,
} from '../../delegation/token-grant.js';
import type { TokenIssuerRow } from '../../store/tables/token-issuers.js';
import type { Clock } from '../../core/clock.js';
import type { Ids } from '../../core/ids.js';
import type { Logger } from '../../core/logger.js';
import type { GuardedFetch } from '../../core/outgoing/guarded-fetch.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Database } from '../../store/sql/database.js';
import type { ClientDescription, ClientRow } from '../../store/tables/clients.js';
import { accountPaths } from './paths.js';
import type { SigningKeys } from '../signing/signing-keys.js';

export type { AuthEvent } from '../../delegation/auth-records.js';
export type { ClientChange, KeptClient, UnknownClient } from '../../delegation/unknown-client.js';
export type { IdentityOutcome, ProvenIdentity } from '../../delegation/proven-identity.js';
export type {
  ActingClient,
  ChainAgent,
  ConsentChoice,
  ConsentInput,
  ConsentOffer,
  DelegationChain,
  ForeignTokenInput,
  FoundValues,
  HandedOver,
  KnownChain,
  NamedValue,
  OfferedDimension,
  OfferedScope,
  RequestedTask,
  TaskChoice,
  TaskDetails,
  TokenGrant,
} from '../../delegation/token-grant.js';

/**
 * Delegations as the authorization server needs them. Every method refuses with a `BehalfError`, whose code and message
 * reach the client as an OAuth error.
 */
export interface Delegations {
  /** The active delegations that name this agent, the newest first. */
  activeOf(agentId: string, max: number): Promise<readonly NamedDelegation[]>;
  /** A token under an existing delegation that names this agent. */
  forClientCredentials(input: ClientCredentialsInput): Promise<TokenGrant>;
  /** Makes a delegation, only where the person consented to this agent. */
  exchangePersonToken(input: PersonTokenInput): Promise<TokenGrant>;
  /** Makes a sub-delegation, never wider than the parent delegation and the parent's token. */
  exchangeAgentToken(input: AgentTokenInput): Promise<TokenGrant>;
  /** Makes or uses a delegation for the person and the agents of another issuer's token. */
  exchangeForeignToken(input: ForeignTokenInput): Promise<TokenGrant>;
  consentOffer(input: ConsentInput): Promise<ConsentOffer>;
  /** Values to which the person may narrow an offer, under the person's own rights. */
  findValues(input: ValueSearch): Promise<FoundValues>;
  /** Stores the consent to the chosen part of exactly this offer, through `tx` alone: its record commits with it. */
  consent(
    tx: Connection,
    input: ConsentInput & { readonly offer: ConsentOffer; readonly choice: ConsentChoice },
  ): Promise<void>;
  /** As `consent`, for an agent's one task: makes the delegation. */
  handOver(
    tx: Connection,
    input: ConsentInput & { readonly offer: ConsentOffer; readonly choice: TaskChoice },
  ): Promise<HandedOver>;
  /** Ends a delegation that `handOver` made, for its person. */
  takeBack(tx: Connection, handed: HandedOver, userId: string): Promise<void>;
  /** Undefined once the token, the delegation, an agent, a parent or the person has ended. */
  liveToken(token: IssuedToken): Promise<LiveToken | undefined>;
  /** Ending a token moves the authority's version in the same transaction. */
  epochBump(tx: Connection): Promise<void>;
}

export interface Recorder {
  /** Resolves when the record is durable. Rejects where it cannot be; then no token may be given out. */
  recordAuthEvent(event: AuthEvent): Promise<void>;
  /**
   * The same inside the transaction of the change. It must write through `tx` alone: SQLite has one writing connection,
   * and a second transaction would wait for the first without end.
   */
  recordAuthEventIn(tx: Connection, event: AuthEvent): Promise<void>;
}

/** The accounts of people who sign in with an identity provider. */
export interface Identities {
  /** Finds or makes the account and sets the roles of its groups, through `tx` alone. */
  signIn(tx: Connection, proven: ProvenIdentity): Promise<IdentityOutcome>;
  /**
   * Ends all tokens and sessions of a person, or one session of a provider, and what is under way. Undefined where nothing
   * of them is here.
   */
  signOut(
    tx: Connection,
    provider: Pick<IdentityProviderRow, 'id'>,
    logout: ProviderLogout,
  ): Promise<SignedOut | undefined>;
  /** Whether the provider has reported a logout since, or was removed. Otherwise neither happens before `tx` ends. */
  hasEnded(tx: Connection, session: ProviderSession): Promise<boolean>;
  /** The person and the agents that a token names, through `tx` alone. Throws a `BehalfError` that says who is missing. */
  partiesOf(tx: Connection, claimed: ClaimedParties): Promise<KnownChain>;
}

/** Clients that nobody registered by hand. */
export interface Clients {
  /** Throws a `BehalfError` for metadata that is not usable (RFC 7591 section 2). */
  describe(metadata: unknown, fallbackName: string, secrets: 'refused' | 'public'): ClientDescription;
  /** Keeps a new client in quarantine, or admits it by the rule for its host. Undefined where too many wait. */
  keep(tx: Connection, unknown: UnknownClient): Promise<KeptClient | undefined>;
  /** Notes what a client's document says now. What was admitted stays. Undefined where that is nothing new. */
  compare(
    tx: Connection,
    client: ClientRow,
    description: ClientDescription,
  ): Promise<ClientChange | undefined>;
  /** Takes the turn to read a document again. False where another request has it. */
  claimCheck(tx: Connection, client: ClientRow): Promise<boolean>;
  /** Forgets clients that waited too long; as many as fit into one transaction. */
  forget(tx: Connection): Promise<readonly ClientChange[]>;
}

/** The parties of a token of a trusted issuer, by that issuer's names. */
export interface ClaimedParties {
  readonly issuer: Pick<TokenIssuerRow, 'id' | 'version'>;
  readonly subject: string;
  /** In order of acting. */
  readonly actors: readonly string[];
  /** The digest of the session at the provider. Undefined where the token names none. */
  readonly session?: string;
  /** ISO 8601. */
  readonly issuedAt: string;
}

/**
 * People's passkeys. `session` is the sign-in under way, to which a challenge belongs. Options and responses are the JSON of
 * WebAuthn Level 3, as text.
 */
export interface Passkeys {
  /** Whether browsers have passkeys for the server's public URL. */
  readonly areUsable: boolean;
  hasAny(connection: Connection, userId: string): Promise<boolean>;
  creationOptions(tx: Connection, user: UserRow, session: string): Promise<string>;
  addFirst(
    tx: Connection,
    user: UserRow,
    session: string,
    made: { readonly name: string; readonly response: string },
  ): Promise<PasskeyOutcome>;
  /** @param userId who is known already. Without it, the options name no passkey, and any person may answer. */
  requestOptions(tx: Connection, session: string, userId?: string): Promise<string>;
  signIn(tx: Connection, session: string, response: string, userId?: string): Promise<PasskeyOutcome>;
}

/** A first-party program through which people sign in: a public client with PKCE (RFC 8252, RFC 9700). */
export interface PublicClient {
  readonly clientId: string;
  readonly name: string;
  /** Native clients may use any port of a loopback redirect URI (RFC 8252 section 7.3). */
  readonly native: boolean;
  readonly redirectUris: readonly string[];
}

export const commandLineClient: PublicClient = {
  clientId: 'behalf-cli',
  name: 'Behalf command line',
  native: true,
  redirectUris: ['http://127.0.0.1/callback', 'http://[::1]/callback', 'http://127.0.0.1/'],
};

/** The pages of a person's own account, which this server serves itself. */
export const accountClient = (issuer: string): PublicClient => ({
  clientId: 'behalf-account',
  name: 'your account page',
  native: false,
  redirectUris: [`${issuer}${accountPaths.signedIn}`],
});

/** The free attempts of one key in a window; beyond them, attempts are delayed one after another. */
export interface AttemptLimit {
  readonly attempts: number;
  readonly windowSeconds: number;
}

/** Certificates of clients (RFC 8705). */
export interface MutualTls {
  /** The authorities whose certificates authenticate clients. */
  readonly authorities: readonly X509Certificate[];
  /** The origin at which clients are asked for certificates, where that is another one. */
  readonly url: string | undefined;
}

export interface OAuthSettings {
  /** The base URL, an origin without a path: `https://behalf.example.com`. Never taken from a request. */
  readonly issuer: string;
  /** All scopes of the schema. */
  readonly scopes: readonly string[];
  readonly accessTokenTtlSeconds: number;
  /** The length of a sign-in; refresh tokens rotate within it. */
  readonly refreshTokenTtlSeconds: number;
  /** Keys of the cookies: the first signs, all verify. Each has at least 32 characters. */
  readonly cookieKeys: readonly string[];
  readonly clients: readonly PublicClient[];
  /** Whether identity providers beyond this machine may be reached without TLS. */
  readonly allowHttp: boolean;
  /** Undefined: no certificate counts. */
  readonly mutualTls: MutualTls | undefined;
  /** Whether clients may prove who they are by a secret. */
  readonly staticSecrets: boolean;
  /** The names of those who may sign in with a password. Undefined: everybody. */
  readonly passwordUsers: readonly string[] | undefined;
  /** Whether a client id may be the address of a document about the client. */
  readonly clientDocuments: boolean;
  /** Whether clients may register themselves (RFC 7591). */
  readonly clientRegistration: boolean;
  readonly limits: {
    /** Sign-in attempts from one address, and for one account. */
    readonly signInPerAddress: AttemptLimit;
    readonly signInPerAccount: AttemptLimit;
    /**
     * Sign-ins started at one address, without those that succeeded; for themselves, requests that were pushed or made for a
     * device.
     */
    readonly begunPerAddress: AttemptLimit;
    /** User codes that nobody has: from one address, and from all together. */
    readonly userCodesPerAddress: AttemptLimit;
    readonly userCodes: AttemptLimit;
    /**
     * From one address: refused requests to the token, revocation and introspection endpoints, sign-ins with a provider
     * that came to nothing, and refused back-channel logouts and security events. Each kind is counted for itself.
     */
    readonly refusedPerAddress: AttemptLimit;
    /** Token requests of one client; of a public one, from one address. */
    readonly tokensPerClient: AttemptLimit;
    /** Introspections by one client. */
    readonly introspectionsPerClient: AttemptLimit;
  };
}

export const defaultLimits: OAuthSettings['limits'] = {
  signInPerAddress: { attempts: 30, windowSeconds: 900 },
  signInPerAccount: { attempts: 10, windowSeconds: 900 },
  begunPerAddress: { attempts: 300, windowSeconds: 600 },
  userCodesPerAddress: { attempts: 10, windowSeconds: 600 },
  userCodes: { attempts: 300, windowSeconds: 600 },
  refusedPerAddress: { attempts: 60, windowSeconds: 60 },
  tokensPerClient: { attempts: 600, windowSeconds: 60 },
  introspectionsPerClient: { attempts: 6_000, windowSeconds: 60 },
};

export interface OAuthDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly delegations: Delegations;
  readonly recorder: Recorder;
  readonly identities: Identities;
  readonly passkeys: Passkeys;
  readonly clients: Clients;
  readonly settings: OAuthSettings;
  /** Undefined where the settings have no secret for them: this server then signs nothing. */
  readonly signingKeys?: SigningKeys | undefined;
  /** Requests to addresses that administrators, and clients that they admitted, chose. */
  readonly outgoing: GuardedFetch;
  /** Requests to the documents of clients, whose addresses anybody chooses. */
  readonly documentFetch: GuardedFetch;
  /** The caller's address in normal form. */
  readonly addressOf: (request: IncomingMessage) => string;
  /** The client's certificate, which is valid now. Undefined where none came in a way that counts. */
  readonly certificateOf: (request: IncomingMessage) => X509Certificate | undefined;
}
