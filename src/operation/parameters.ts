/** What a request says of the operation that it wants, as it came (GraphQL over HTTP, request parameters). */
export interface Parameters {
  readonly query?: unknown;
  readonly documentId?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
  readonly extensions?: unknown;
}

const none: Parameters = {};

/** Those of a body, which may be no object at all: then it says nothing. */
export const parametersIn = (body: unknown): Parameters => (isRecord(body) ? body : none);

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isEmpty = (value: object): boolean => Object.keys(value).length === 0;
