import type { Page } from './documents.js';
import type { Document } from './visitor.js';

export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

/** As many as one person may have. */
export const passkeysDocument: Document<{ readonly passkeys: { readonly nodes: readonly Passkey[] } }> = {
  name: 'AccountPasskeys',
  query: `query AccountPasskeys($filter: PasskeyFilter!) {
  passkeys(filter: $filter, first: 20) { nodes { id name createdAt lastUsedAt } }
}`,
};

export const beginPasskeyDocument: Document<{ readonly beginPasskey: { readonly options: string } }> = {
  name: 'AccountBeginPasskey',
  query: `mutation AccountBeginPasskey($key: String!) { beginPasskey(idempotencyKey: $key) { options } }`,
};

export const addPasskeyDocument: Document<unknown> = {
  name: 'AccountAddPasskey',
  query: `mutation AccountAddPasskey($name: String!, $response: String!, $key: String!) {
  addPasskey(name: $name, response: $response, idempotencyKey: $key) { passkey { id } }
}`,
};

export const renamePasskeyDocument: Document<unknown> = {
  name: 'AccountRenamePasskey',
  query: `mutation AccountRenamePasskey($id: ID!, $name: String!, $key: String!) {
  renamePasskey(id: $id, name: $name, idempotencyKey: $key) { passkey { id } }
}`,
};

export const removePasskeyDocument: Document<unknown> = {
  name: 'AccountRemovePasskey',
  query: `mutation AccountRemovePasskey($id: ID!, $key: String!) {
  removePasskey(id: $id, idempotencyKey: $key) { id }
}`,
};

export interface SignIn {
  readonly id: string;
  readonly program: string;
  readonly clientId: string;
  readonly method: 'PASSWORD' | 'PASSKEY' | 'PROVIDER';
  readonly provider: string | null;
  readonly address: string;
  readonly userAgent: string | null;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  readonly isCurrent: boolean;
}

export interface SignInsAnswer {
  readonly signIns: Page<SignIn>;
}

/** How many sign-ins are read at most, the newest first. */
export const signInsMax = 50;

export const signInsDocument: Document<SignInsAnswer> = {
  name: 'AccountSignIns',
  query: `query AccountSignIns($filter: SignInFilter!) {
  signIns(filter: $filter, first: ${String(signInsMax)}) {
    nodes { id program clientId method provider address userAgent createdAt lastUsedAt expiresAt isCurrent }
    pageInfo { hasNextPage endCursor }
  }
}`,
};

export const endSignInDocument: Document<unknown> = {
  name: 'AccountEndSignIn',
  query: `mutation AccountEndSignIn($id: ID!, $key: String!) {
  endSignIn(id: $id, idempotencyKey: $key) { endedCount }
}`,
};

export const endOtherSignInsDocument: Document<unknown> = {
  name: 'AccountEndOtherSignIns',
  query: `mutation AccountEndOtherSignIns($key: String!) {
  endOtherSignIns(idempotencyKey: $key) { endedCount }
}`,
};
