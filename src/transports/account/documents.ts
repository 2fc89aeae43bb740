import type { Document } from './visitor.js';

/** Whether the signed-in person holds a scope. It decides which fields a document selects. */
export type Holds = (scope: string) => boolean;

export interface Dimension {
  readonly dimension: string;
  readonly all: boolean;
  readonly values: readonly string[];
}

export interface ViewerAnswer {
  readonly viewer: {
    readonly person: { readonly id: string; readonly name: string; readonly displayName: string };
    readonly scopes: readonly string[];
    readonly boundaries: readonly {
      readonly scope: string;
      readonly anyOf: readonly {
        readonly dimensions: readonly { name: string; all: boolean; values: readonly string[] }[];
      }[];
    }[];
  };
}

export interface RecordNode {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly outcome: 'SUCCEEDED' | 'PARTIAL' | 'REFUSED' | 'FAILED';
  readonly operationName: string | null;
  readonly operationType: string | null;
  readonly resources: readonly { readonly type: string; readonly action: string; readonly count: number }[];
  readonly errors: readonly { readonly code: string }[];
  readonly chain: { readonly agents: readonly { readonly id: string }[] } | null;
}

interface Named {
  readonly name: string;
  readonly displayName: string;
}

export interface Page<T> {
  readonly nodes: readonly T[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

export type Status = 'ACTIVE' | 'COMPLETED' | 'REVOKED' | 'EXPIRED';

/** A task as lists show it. Fields that need a scope of their own are missing where the person lacks it. */
export interface TaskLine {
  readonly id: string;
  readonly purpose: string;
  readonly task: string;
  readonly status: Status;
  readonly createdAt: string;
  readonly agent?: Named | null;
}

export interface Task extends TaskLine {
  readonly depth: number;
  readonly scopes: readonly string[];
  readonly boundary: readonly Dimension[];
  readonly standing: boolean;
  readonly expiresAt: string;
  readonly endedAt: string | null;
  readonly limits: {
    readonly operations: number;
    readonly operationsLeft: number;
    readonly rows: number;
    readonly rowsLeft: number;
    readonly depthLeft: number;
  };
  readonly parent: { readonly id: string; readonly purpose: string } | null;
  readonly person?: { readonly id: string } | null;
  readonly role?: { readonly name: string } | null;
  readonly endedBy?: { readonly displayName: string } | null;
  readonly records?: { readonly nodes: readonly RecordNode[] } | null;
}

export interface Consent {
  readonly id: string;
  readonly scopes: readonly string[];
  readonly boundary: readonly Dimension[];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
  readonly person?: { readonly id: string } | null;
  readonly agent?: Named | null;
  readonly role?: { readonly name: string } | null;
}

/** A request of an agent that waits for the person's decision. */
export interface WaitingRequest {
  readonly id: string;
  readonly message: string | null;
  readonly address: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly agent?: Named | null;
}

export const viewerDocument: Document<ViewerAnswer> = {
  name: 'AccountViewer',
  query: `query AccountViewer {
  viewer { person { id name displayName } scopes boundaries { scope anyOf { dimensions { name all values } } } }
}`,
};

const when = (isHeld: boolean, fields: string): string => (isHeld ? fields : '');

const lineFields = (holds: Holds): string =>
  `id purpose task status createdAt ${when(holds('agents:read'), 'agent { name displayName }')}`;

const recordFields =
  'id at kind outcome operationName operationType resources { type action count } errors { code } chain { agents { id } }';

const taskFields = (holds: Holds, records: number): string => `${lineFields(holds)}
    depth scopes boundary { dimension all values } standing expiresAt endedAt
    limits { operations operationsLeft rows rowsLeft depthLeft } parent { id purpose }
    ${when(holds('users:read'), 'person { id } endedBy { displayName }')}
    ${when(holds('roles:read'), 'role { name }')}
    ${when(holds('audit:read'), `records(first: ${String(records)}) { nodes { ${recordFields} } }`)}`;

const consentFields = (
  holds: Holds,
): string => `id scopes boundary { dimension all values } createdAt expiresAt revokedAt
    ${when(holds('users:read'), 'person { id }')}
    ${when(holds('agents:read'), 'agent { name displayName }')}
    ${when(holds('roles:read'), 'role { name }')}`;

/** How many consents are read at most, the newest first. */
export const consentsMax = 100;

/** How many requests of agents are read at most, the newest first. */
export const waitingShown = 20;

export const homeDocument = (
  holds: Holds,
): Document<{
  readonly delegations: Page<Task>;
  readonly consents: Page<Consent>;
  readonly backchannelRequests: Page<WaitingRequest>;
}> => ({
  name: 'AccountHome',
  query: `query AccountHome($filter: DelegationFilter!, $after: String) {
  delegations(filter: $filter, first: 10, after: $after) {
    nodes { ${taskFields(holds, 3)} }
    pageInfo { hasNextPage endCursor }
  }
  consents(first: ${String(consentsMax)}) { nodes { ${consentFields(holds)} } pageInfo { hasNextPage endCursor } }
  backchannelRequests(first: ${String(waitingShown)}) {
    nodes { id message address createdAt expiresAt ${when(holds('agents:read'), 'agent { name displayName }')} }
    pageInfo { hasNextPage endCursor }
  }
}`,
});

export const consentsDocument = (
  holds: Holds,
): Document<{ readonly consents: Pick<Page<Consent>, 'nodes'> }> => ({
  name: 'AccountConsents',
  query: `query AccountConsents { consents(first: ${String(consentsMax)}) { nodes { ${consentFields(holds)} } } }`,
});

export interface TasksAnswer {
  readonly delegations: Page<TaskLine>;
}

export const tasksDocument = (holds: Holds): Document<TasksAnswer> => ({
  name: 'AccountTasks',
  query: `query AccountTasks($filter: DelegationFilter!, $after: String) {
  delegations(filter: $filter, first: 50, after: $after) {
    nodes { ${lineFields(holds)} }
    pageInfo { hasNextPage endCursor }
  }
}`,
});

export const taskDocument = (holds: Holds): Document<{ readonly delegation: Task | null }> => ({
  name: 'AccountTask',
  query: `query AccountTask($id: ID!) { delegation(id: $id) { ${taskFields(holds, 20)} } }`,
});

export interface OfferedRole {
  readonly name: string;
  readonly description: string;
  readonly scopes: readonly string[];
  readonly boundary: readonly Dimension[];
  readonly limits: { readonly expirySeconds: number | null } | null;
}

export interface OfferedAgent extends Named {
  readonly businessTask: string;
  readonly roles: { readonly nodes: readonly OfferedRole[] } | null;
}

/** Agents that may be handed a task. */
export const agentsDocument: Document<{ readonly agents: Pick<Page<OfferedAgent>, 'nodes'> }> = {
  name: 'AccountAgents',
  query: `query AccountAgents($filter: AgentFilter!) {
  agents(filter: $filter, first: 50) {
    nodes {
      name displayName businessTask
      roles(first: 10) { nodes { name description scopes boundary { dimension all values } limits { expirySeconds } } }
    }
  }
}`,
};

export const handOverDocument: Document<{
  readonly delegate: { readonly delegation: { readonly id: string } };
}> = {
  name: 'AccountHandOver',
  query: `mutation AccountHandOver($input: DelegateInput!, $key: String!) {
  delegate(input: $input, idempotencyKey: $key) { delegation { id } }
}`,
};

interface CustomerName {
  readonly id: string;
  readonly number: string;
  readonly name: string;
}

/** Customers by ids: the variables `$c0`, `$c1`, … A customer that the person may not read is null. */
export function customersDocument(count: number): Document<Readonly<Record<string, CustomerName | null>>> {
  const names = Array.from({ length: count }, (_, at) => `c${String(at)}`);
  const variables = names.map((name) => `$${name}: ID!`).join(', ');
  const fields = names.map((name) => `${name}: customer(id: $${name}) { id number name }`).join(' ');
  return { name: 'AccountCustomers', query: `query AccountCustomers(${variables}) { ${fields} }` };
}

export const takeBackDocument: Document<unknown> = {
  name: 'AccountTakeBack',
  query: `mutation AccountTakeBack($id: ID!, $key: String!) {
  revokeDelegation(id: $id, idempotencyKey: $key) { delegation { id status } }
}`,
};

export const withdrawDocument: Document<unknown> = {
  name: 'AccountWithdraw',
  query: `mutation AccountWithdraw($id: ID!, $key: String!) {
  withdrawConsent(id: $id, idempotencyKey: $key) { consent { id revokedAt } }
}`,
};
