import type { Connection } from '../store/sql/connection.js';

/** One acting agent of a chain. `name` is its OAuth `client_id`. */
export interface ChainAgent {
  readonly id: string;
  readonly name: string;
  readonly delegationId: string;
}

/** The person at the root, then each agent in order of acting. The last agent is the current actor. */
export interface DelegationChain {
  readonly userId: string;
  readonly userName: string;
  readonly agents: readonly ChainAgent[];
}

/** The rights that a delegation gives to one access token. `expiresAt` is the delegation's own end, in ms. */
export interface TokenGrant {
  readonly delegationId: string;
  readonly userId: string;
  /** The acting agent: the authenticated client. */
  readonly agentId: string;
  readonly scopes: readonly string[];
  /** When the delegation was made, in milliseconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The resources (RFC 8707) that the token may be for. Null: all. */
  readonly resources: readonly string[] | null;
  /** The generation of the chain's tokens. The token ends when the generation moves. */
  readonly generation: number;
  readonly chain: DelegationChain;
}

/** A delegation that an agent may name, and what it is about. */
export interface NamedDelegation {
  readonly id: string;
  readonly task: string;
}

/** A token of this server, as its stored members tell it. */
export interface IssuedToken {
  readonly userId: string;
  /** Undefined for a token that a person uses directly. */
  readonly delegationId?: string | undefined;
  readonly generation: number;
  readonly scopes: readonly string[];
  /** The authentication context that the person's sign-in met. */
  readonly acr?: string | undefined;
}

/** The agents and scopes of a token at this moment. */
export interface LiveToken {
  /** In order of acting. Empty where the person acts. */
  readonly agents: readonly ChainAgent[];
  /** The scopes of the token that every layer still holds. */
  readonly scopes: readonly string[];
}

/** The authenticated client, as it was when its credentials were checked. */
export interface ActingClient {
  readonly agentId: string;
  readonly agentGeneration: number;
}

/**
 * The rights that a person is asked to allow an agent. With the consent, the agent may exchange the person's token
 * (`may_act`).
 */
export interface ConsentInput {
  readonly userId: string;
  /** The authentication context that the person's sign-in met. */
  readonly acr?: string;
  readonly agentName: string;
  /**
   * One of the agent's roles. Where it is left out, the only fitting role is chosen; otherwise the request is
   * refused.
   */
  readonly role?: string;
  readonly scopes?: readonly string[];
  /** The scopes that the client gets at most. Undefined: it has no ceiling of its own. */
  readonly ceiling?: readonly string[];
  /** The one task for which the agent itself asks. Undefined: the consent is for tasks to come. */
  readonly task?: RequestedTask;
  /** The resources (RFC 8707) of the request. Undefined: all. */
  readonly resources?: readonly string[];
}

/** The task in an agent's authorization request. The page asks for what it leaves out. */
export type RequestedTask = Omit<TaskDetails, 'role'>;

export interface ScopeInWords {
  readonly name: string;
  readonly description: string;
}

export interface OfferedScope extends ScopeInWords {
  /** Whether the scope allows changes. All other scopes only read. */
  readonly changes: boolean;
}

/** Rows that a page shows in part, for its record. */
export interface ShownRows {
  readonly type: string;
  readonly ids: readonly string[];
  /** How many of the shown values belong to no single row. */
  readonly values: number;
}

export interface NamedValue {
  readonly value: string;
  readonly label: string;
}

/**
 * How a person may narrow a dimension: among the offered values, among all existing values, or by a search where there
 * are too many values to show.
 */
export type Narrowing =
  | { readonly kind: 'offered' | 'all'; readonly values: readonly NamedValue[] }
  | { readonly kind: 'search' }
  | { readonly kind: 'none' };

/** One dimension of an offer's boundary. */
export interface OfferedDimension {
  readonly dimension: string;
  /** `All customers`, `Documents marked public or internal`. */
  readonly sentence: string;
  readonly narrowing: Narrowing;
  readonly shown: readonly ShownRows[];
}

/** All that the consent page says. A person who allows it has read this. */
export interface ConsentOffer {
  readonly person: { readonly name: string; readonly displayName: string };
  readonly agent: {
    readonly name: string;
    readonly displayName: string;
    readonly businessTask: string;
    readonly ownerName: string;
    /** ISO 8601. */
    readonly createdAt: string;
  };
  readonly role: string;
  readonly scopes: readonly OfferedScope[];
  /** The requested scopes that the person does not hold. */
  readonly lacking: readonly ScopeInWords[];
  /** The dimensions that matter for these scopes. */
  readonly boundary: readonly OfferedDimension[];
  /** The agent's words about its one task. Undefined: the consent is for tasks to come. */
  readonly task?: { readonly purpose?: string; readonly task?: string };
  /** How long the consent may last, and how long it lasts unless the person chooses. */
  readonly seconds: { readonly max: number; readonly usual: number };
  /** The limits of one task. */
  readonly limits: {
    readonly seconds: number;
    readonly operations: number;
    readonly rows: number;
    readonly depth: number;
  };
}

/** The part of an offer that a person allows. */
export interface ConsentChoice {
  readonly scopes: readonly string[];
  /** Only the dimensions that the person narrowed. */
  readonly boundary: Readonly<Record<string, readonly string[]>>;
  readonly seconds: number;
}

/** A choice for one task. */
export interface TaskChoice extends ConsentChoice {
  readonly purpose: string;
  readonly task: string;
}

/** A delegation that was made by consent. */
export interface HandedOver {
  readonly delegationId: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

/** A search for values of one dimension, and the values chosen before. */
export interface ValueSearch {
  readonly userId: string;
  /** The authentication context that the person's sign-in met. */
  readonly acr?: string;
  readonly dimension: string;
  /** Empty: no search. */
  readonly term: string;
  readonly chosen: readonly string[];
}

/** Values within the person's own reach. A value outside looks as if it did not exist. */
export interface FoundValues {
  readonly chosen: readonly NamedValue[];
  readonly found: readonly NamedValue[];
  /** Whether there are more results than `found` holds. */
  readonly more: boolean;
  readonly shown: readonly ShownRows[];
}

/** The task as a token exchange may describe it in `authorization_details` (RFC 9396). */
export interface TaskDetails {
  readonly task?: string;
  readonly purpose?: string;
  readonly role?: string;
  readonly boundary?: unknown;
  readonly limits?: RequestedLimits;
}

interface RequestedLimits {
  readonly operations?: number;
  readonly rows?: number;
  readonly depth?: number;
  readonly expiresInSeconds?: number;
}

/** A request for a token under an existing delegation. */
export interface ClientCredentialsInput extends ActingClient {
  readonly delegationId: string;
  readonly scopes?: readonly string[];
}

/** A request to exchange a person's token, which makes a delegation. */
export interface PersonTokenInput extends TaskDetails, ActingClient {
  readonly userId: string;
  /** The authentication context that the person's sign-in met. */
  readonly acr?: string;
  readonly personTokenScopes: readonly string[];
  /** The resource of the token. The delegation is for it alone. Undefined: for all. */
  readonly resource?: string;
  readonly scopes?: readonly string[];
}

/** The parties that a token of another issuer names, as they are known here. */
export interface KnownChain {
  readonly userId: string;
  /** In order of acting: the last one acts now. Never empty. */
  readonly agentIds: readonly string[];
}

/** A request to use the token of another issuer, which was checked. Its claims only narrow. */
export interface ForeignTokenInput extends TaskDetails, ActingClient {
  /** An existing delegation to use. Undefined: one is made. */
  readonly delegationId?: string;
  readonly issuerId: string;
  readonly subject: string;
  /** Undefined where the token does not narrow the scopes. */
  readonly tokenScopes: readonly string[] | undefined;
  readonly scopes?: readonly string[];
  /** The requested resource. A delegation that is made is for it alone. Undefined: for all. */
  readonly resource?: string;
  /** The claims, for the record. */
  readonly detail: string;
  /** Throws a `BehalfError` where a party is not known here, or has ended. */
  chainIn(tx: Connection): Promise<KnownChain>;
  /** Notes the use of the token. False where it was used before. */
  firstUseIn(tx: Connection): Promise<boolean>;
}

/** A request to exchange the parent agent's token, which makes a sub-delegation. */
export interface AgentTokenInput extends TaskDetails, ActingClient {
  readonly delegationId: string;
  readonly parentTokenScopes: readonly string[];
  readonly parentGeneration: number;
  /** The resource of the parent's token. The sub-delegation is for it alone. Undefined: for those of its parent. */
  readonly resource?: string;
  readonly fromAgentId: string;
  readonly scopes?: readonly string[];
}
