import { flag, id, int, json, nullable, table, text, time, type RowOf } from './table.js';

/** Issuers whose tokens agents exchange for tokens of this server. */
export const tokenIssuers = table(
  'TokenIssuer',
  'token_issuers',
  {
    id: id(),
    /** In commands; unique. */
    name: text(40),
    /** The claim `iss` of its tokens, exactly; unique. */
    issuer: text(255),
    /** The identity provider whose subjects its tokens name. */
    providerId: id('identity_providers'),
    /** How its tokens name person and actors: `src/oauth/foreign-tokens/dialects.ts`. */
    dialect: text(20),
    /** The claim that names the person; only for the dialect `agent-in-sub`. */
    userClaim: nullable(text(100)),
    /** access_token, id_token, jwt, id-jag */
    tokenTypes: json<readonly string[]>(),
    /** Empty: the issuer and the resource of this server. */
    audiences: json<readonly string[]>(),
    /** An older token is refused. */
    ageMaxSeconds: int(),
    /** How many actors a token may name. */
    actorsMax: int(),
    /** The administrator who trusts it. Its tokens count only for people whose roles they may grant. */
    addedBy: id('users'),
    createdAt: time(),
    version: int(),
  },
  ['id'],
  { unique: [['name'], ['issuer']], indexes: [['providerId']] },
);

/** Which agent an issuer means by a name of its own. An actor without a row here is nobody. */
export const tokenIssuerAgents = table(
  'TokenIssuerAgent',
  'token_issuer_agents',
  {
    issuerId: id('token_issuers'),
    actor: text(255),
    agentId: id('agents'),
    mappedBy: id('users'),
    mappedAt: time(),
  },
  ['issuerId', 'actor'],
  { indexes: [['agentId']] },
);

/** The delegations that tokens of an issuer made or named. */
export const issuerDelegations = table(
  'IssuerDelegation',
  'issuer_delegations',
  {
    issuerId: id('token_issuers'),
    delegationId: id('delegations'),
    subject: text(255),
    /** The agent of the delegation. */
    agentId: id('agents'),
    /** False where the delegation was there before, and the token named it. */
    made: flag(),
    createdAt: time(),
  },
  ['issuerId', 'delegationId', 'subject'],
  { indexes: [['delegationId']] },
);

export type TokenIssuerRow = RowOf<typeof tokenIssuers>;
export type TokenIssuerAgentRow = RowOf<typeof tokenIssuerAgents>;
export type IssuerDelegationRow = RowOf<typeof issuerDelegations>;
