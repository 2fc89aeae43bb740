import type { IncomingMessage } from 'node:http';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { Connection } from '../store/connection.js';
import type { Database } from '../store/database.js';

/** One acting agent of a chain; `name` is its OAuth `client_id`. */
export interface ChainAgent {
  readonly id: string;
  readonly name: string;
  readonly delegationId: string;
}

/** The person at the root, then each agent in the order of acting: the last one is the current actor. */
export interface DelegationChain {
  readonly userId: string;
  readonly userName: string;
  readonly agents: readonly ChainAgent[];
}

/** What a delegation gives to one access token. `expiresAt` is the delegation's own end, in ms. */
export interface TokenGrant {
  readonly delegationId: string;
  readonly userId: string;
  /** The agent that acts: the authenticated client. */
  readonly agentId: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  readonly chain: DelegationChain;
}

/** What a person is asked to allow an agent: the agent may then exchange the person's token (`may_act`). */
export interface ConsentInput {
  readonly userId: string;
  readonly agentName: string;
  /** One of the agent's roles; where left out, the port chooses or refuses. */
  readonly role?: string;
  readonly scopes?: readonly string[];
}

/** The same, in the words of the consent page. */
export interface ConsentOffer {
  readonly agentName: string;
  readonly agentDisplayName: string;
  readonly businessTask: string;
  readonly ownerName: string;
  readonly role: string;
  readonly scopes: readonly { readonly name: string; readonly description: string }[];
  /** Sentences about the boundary, for example `Regions: europe`. */
  readonly boundary: readonly string[];
}

/** What a token exchange may say about the task, in `authorization_details` (RFC 9396). */
export interface TaskDetails {
  readonly task?: string;
  readonly purpose?: string;
  readonly role?: string;
  readonly boundary?: unknown;
}

/**
 * Delegations as the authorization server needs them. Every method refuses with a `BehalfError`; its code and
 * message reach the client as an OAuth error.
 */
export interface Delegations {
  /** A token under a delegation that exists already and names this agent. */
  forClientCredentials(input: {
    readonly agentId: string;
    readonly delegationId: string;
    readonly scopes?: readonly string[];
  }): Promise<TokenGrant>;
  /** Makes a delegation, only where the person consented to this agent. */
  exchangePersonToken(
    input: TaskDetails & {
      readonly userId: string;
      readonly personTokenScopes: readonly string[];
      readonly agentId: string;
      readonly scopes?: readonly string[];
    },
  ): Promise<TokenGrant>;
  /** Makes a sub-delegation, never wider than the parent delegation and the parent's token. */
  exchangeAgentToken(
    input: TaskDetails & {
      readonly delegationId: string;
      readonly parentTokenScopes: readonly string[];
      readonly fromAgentId: string;
      readonly toAgentName: string;
      readonly scopes?: readonly string[];
    },
  ): Promise<TokenGrant>;
  consentOffer(input: ConsentInput): Promise<ConsentOffer>;
  /** Stores the consent to exactly what the offer said, through `tx` alone: its record commits with it. */
  consent(tx: Connection, input: ConsentInput & { readonly offer: ConsentOffer }): Promise<void>;
  /** Undefined as soon as the delegation, one of its agents, a parent or the person has ended. */
  chainOf(delegationId: string): Promise<DelegationChain | undefined>;
  /** Whatever ends a token moves the authority's version in its own transaction. */
  epochBump(tx: Connection): Promise<void>;
}

export type AuthEventKind = 'sign_in' | 'password_change' | 'token' | 'revocation' | 'consent';

/** What happened at the authorization server. Never holds a secret, a token or a code. */
export interface AuthEvent {
  readonly kind: AuthEventKind;
  /** `failure` is our own fault, `refused` is a decision. */
  readonly outcome: 'success' | 'refused' | 'failure';
  readonly userId?: string;
  readonly agentId?: string;
  readonly clientName?: string;
  readonly delegationId?: string;
  readonly tokenId?: string;
  readonly grantType?: string;
  readonly errorCode?: string;
  readonly address?: string;
  readonly userAgent?: string;
  readonly detail?: string;
}

export interface Recorder {
  /** Resolves when the record is durable. Rejects where it cannot be: then nothing is given out. */
  recordAuthEvent(event: AuthEvent): Promise<void>;
  /**
   * The same inside a transaction that also makes the change. It must write through `tx` alone: SQLite has one
   * writing lane, and opening another transaction here would wait for itself.
   */
  recordAuthEventIn(tx: Connection, event: AuthEvent): Promise<void>;
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

/** So many attempts in so many seconds, for one key. */
export interface AttemptLimit {
  readonly attempts: number;
  readonly windowSeconds: number;
}

export interface OAuthSettings {
  /** The base URL, an origin without a path: `https://behalf.example.com`. Never taken from a request. */
  readonly issuer: string;
  /** Every scope there is. */
  readonly scopes: readonly string[];
  readonly accessTokenTtlSeconds: number;
  /** How long a sign-in lasts altogether; refresh tokens rotate inside it. */
  readonly refreshTokenTtlSeconds: number;
  /** Sign the cookies; the first signs, all verify. Each at least 32 characters. */
  readonly cookieKeys: readonly string[];
  readonly clients: readonly PublicClient[];
  readonly limits: {
    /** Sign-in attempts from one address, and for one account. */
    readonly signInPerAddress: AttemptLimit;
    readonly signInPerAccount: AttemptLimit;
    /** Refused requests to the token, revocation and introspection endpoints from one address. */
    readonly refusedPerAddress: AttemptLimit;
  };
}

export const defaultLimits: OAuthSettings['limits'] = {
  signInPerAddress: { attempts: 30, windowSeconds: 900 },
  signInPerAccount: { attempts: 10, windowSeconds: 900 },
  refusedPerAddress: { attempts: 60, windowSeconds: 60 },
};

export interface OAuthPorts {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly delegations: Delegations;
  readonly recorder: Recorder;
  readonly settings: OAuthSettings;
  /** The client's address, where a trusted proxy stands in front; otherwise the socket's. */
  readonly addressOf?: (request: IncomingMessage) => string;
}

/** The one protected resource (RFC 8707): tokens are for this URL. */
export const resourceOf = (settings: Pick<OAuthSettings, 'issuer'>): string => `${settings.issuer}/graphql`;
