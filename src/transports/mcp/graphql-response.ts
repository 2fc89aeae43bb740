/** A GraphQL response, as the gate gives it. */
export interface GraphqlResponse {
  readonly data?: unknown;
  readonly errors?: readonly ResponseError[];
}

export interface ResponseError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: {
    readonly code?: string;
    readonly layer?: string;
    readonly path?: string;
    readonly hint?: string;
    readonly missingScopes?: readonly string[];
  };
}

export const isNothing = (data: unknown): boolean =>
  data === null || data === undefined || Object.values(data).every((value) => value === null);
