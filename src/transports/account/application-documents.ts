import type { Page } from './documents.js';
import type { Document } from './visitor.js';

export interface ClientRequest {
  readonly id: string;
  readonly name: string;
  readonly clientId: string;
  readonly status: 'WAITING' | 'ADMITTED' | 'REFUSED' | 'FORGOTTEN';
  readonly createdAt: string;
}

/** How many requests are read at most, the newest first. */
export const requestsMax = 20;

export const requestsDocument: Document<{ readonly clientRequests: Page<ClientRequest> }> = {
  name: 'AccountApplications',
  query: `query AccountApplications($filter: ClientRequestFilter!) {
  clientRequests(filter: $filter, first: ${String(requestsMax)}) {
    nodes { id name clientId status createdAt }
    pageInfo { hasNextPage endCursor }
  }
}`,
};

export const waitingClientDocument: Document<{
  readonly waitingClient: Pick<ClientRequest, 'name' | 'clientId' | 'createdAt'> | null;
}> = {
  name: 'AccountWaitingApplication',
  query: `query AccountWaitingApplication($id: ID!) { waitingClient(id: $id) { name clientId createdAt } }`,
};

export const requestClientDocument: Document<unknown> = {
  name: 'AccountAskForApplication',
  query: `mutation AccountAskForApplication($id: ID!, $key: String!) {
  requestClient(id: $id, idempotencyKey: $key) { clientRequest { id } }
}`,
};
