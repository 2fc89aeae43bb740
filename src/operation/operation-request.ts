import type { McpUse } from '../audit/record.js';
import type { Scope } from '../authority/scope.js';
import type { BehalfError } from '../core/errors.js';
import type { Call } from '../graphql/execute/call.js';

/** An operation of GraphQL, the schema as SDL, a question about what the caller may do, or a request that is at fault. */
export type OperationRequest = WantedOperation & {
  /** Set where it came by MCP. */
  readonly mcp?: McpUse | undefined;
  /** The tool through which it came: one that the caller is not offered is `NOT_FOUND`. */
  readonly tool?: string | undefined;
};

type WantedOperation =
  | DocumentOperation
  | { readonly kind: 'schema' }
  /** A transport could read it, and it is at fault by itself. */
  | { readonly kind: 'faulty'; readonly error: BehalfError }
  | { readonly kind: 'guide'; readonly question: GuideRequest };

export interface DocumentOperation {
  readonly kind: 'document';
  /** An object of `Parameters`, or any other value that came instead. */
  readonly body: unknown;
  /** True where nothing may change: a mutation is refused. */
  readonly isSafe?: boolean;
  /** True where the document is part of this server: it needs no registration, whatever the caller's roles. */
  readonly isBuiltIn?: boolean;
  /** True where it is `NOT_FOUND` for a caller that may send registered documents alone. */
  readonly needsFreeDocuments?: boolean;
  /** The fault of data without errors: the operation fails with it. */
  readonly faultOf?: Call['faultOf'];
  /** Where only operations of one kind may run. */
  readonly only?: 'query' | 'mutation';
}

export type { McpUse } from '../audit/record.js';

/** A question about what the caller may do. */
export type GuideRequest =
  | { readonly name: 'session.connect' }
  | { readonly name: 'tools.list' }
  | { readonly name: 'schema.search'; readonly words: string; readonly from: number }
  | { readonly name: 'document.check'; readonly body: unknown }
  | { readonly name: 'document.explain'; readonly body: unknown }
  | { readonly name: 'operation.explain'; readonly operationId: string }
  | { readonly name: 'scopes.explain'; readonly scopes: readonly Scope[] };

/** The known parts of a request that could not be read. */
export interface Unread {
  /** An HTTP status that says more than the error's own. */
  readonly status?: number | undefined;
  readonly wanted?: OperationRequest['kind'] | undefined;
  readonly mcp?: McpUse | undefined;
  /** True where it is not charged. */
  readonly isFree?: boolean;
}

/** Copies to the call the parts of the request that its record or its run needs. */
export function prepare(call: Call, wanted: OperationRequest): void {
  call.mcp = wanted.mcp;
  if (wanted.kind !== 'document') return;
  call.only = wanted.only;
  call.faultOf = wanted.faultOf;
}
