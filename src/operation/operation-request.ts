import type { McpUse } from '../audit/record.js';
import type { BehalfError } from '../core/errors.js';
import type { Call } from '../graphql/execute/call.js';
import type { GuideRequest } from './guide.js';

/** An operation of GraphQL, the schema as SDL, or a question about what the caller may do. */
export type OperationRequest = WantedOperation & {
  /** Set where it came by MCP. */
  readonly mcp?: McpUse | undefined;
  /** The tool through which it came: one that the caller is not offered is `NOT_FOUND`. */
  readonly tool?: string | undefined;
};

type WantedOperation =
  | {
      readonly kind: 'document';
      /** An object of `Parameters`, or any other value that came instead. */
      readonly body: unknown;
      /** True where nothing may change: a mutation is refused. */
      readonly isSafe?: boolean;
      /** True where the document is part of this server: it needs no registration, whatever the caller's roles. */
      readonly isBuiltIn?: boolean;
      /** Where only operations of one kind may run. */
      readonly only?: 'query' | 'mutation';
    }
  | { readonly kind: 'schema' }
  /** One that a transport could read, and that is at fault by itself. */
  | { readonly kind: 'faulty'; readonly error: BehalfError }
  | { readonly kind: 'guide'; readonly question: GuideRequest };

/** The known parts of a request that could not be read. */
export interface Unread {
  /** An HTTP status that says more than the error's own. */
  readonly status?: number | undefined;
  readonly wanted?: OperationRequest['kind'] | undefined;
  readonly mcp?: McpUse | undefined;
}

/** Copies to the call the parts of the request that its record or its run needs. */
export function prepare(call: Call, wanted: OperationRequest): void {
  call.mcp = wanted.mcp;
  if (wanted.kind === 'document') call.only = wanted.only;
}
