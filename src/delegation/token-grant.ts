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
  /** The generation of the chain's tokens: the token ends when that moves. */
  readonly generation: number;
  readonly chain: DelegationChain;
}

/** The authenticated client, as it was when its credentials were looked at. */
export interface ActingClient {
  readonly agentId: string;
  readonly agentGeneration: number;
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
