import { id, nullable, table, text, time, type RowOf } from './table.js';

/**
 * Requests of agents on which a person decides on a page of their own (OpenID CIBA). Each has a device code at the
 * authorization server, which is found by the request's id. A row lasts until the person has decided.
 */
export const backchannelRequests = table(
  'BackchannelRequest',
  'backchannel_requests',
  {
    id: id(),
    /** The person who is asked. Null where nobody has the name in the hint. */
    userId: nullable(id('users')),
    /** The digest of the hint: requests are counted by it, whether somebody has the name or not. */
    hint: text(64),
    agentId: id('agents'),
    /** The `binding_message`. */
    message: nullable(text(60)),
    address: text(60),
    userAgent: nullable(text(300)),
    createdAt: time(),
    expiresAt: time(),
  },
  ['id'],
  { indexes: [['agentId'], ['expiresAt'], ['hint'], ['userId']] },
);

export type BackchannelRequestRow = RowOf<typeof backchannelRequests>;
