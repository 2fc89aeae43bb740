/**
 * How an issuer's tokens name the person and the actors. `docs/tokens-of-your-company.md` describes each.
 * - `act`: the person in `sub`, the acting agent in `act.sub`, earlier agents in nested `act` (RFC 8693 section 4.1).
 * - `azp`: the person in `sub`, the agent in `azp`, or without one in the only `aud` (OpenID Connect Core section 2).
 * - `client-id`: the person in `sub`, the agent in `client_id` (RFC 9068 section 2.2).
 * - `agent-in-sub`: the agent in `sub`, the person in a claim that the issuer's entry names.
 * - `user-in-act`: the agent in `sub`, the person in `act.sub`.
 */
export const dialects = ['act', 'azp', 'client-id', 'agent-in-sub', 'user-in-act'] as const;
export type Dialect = (typeof dialects)[number];

/** The token types of RFC 8693 section 3 that are exchanged, and the assertion of the ID-JAG profile, in short. */
export const foreignTokenTypes = ['access_token', 'id_token', 'jwt', 'id-jag'] as const;
export type ForeignTokenType = (typeof foreignTokenTypes)[number];

/** The most actors that the entry of an issuer may allow. */
export const actorsLimit = 6;
