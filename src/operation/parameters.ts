/** The parameters of a request, not validated (GraphQL over HTTP, request parameters). */
export interface Parameters {
  readonly query?: unknown;
  readonly documentId?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
  readonly extensions?: unknown;
}

const none: Parameters = {};

/** The parameters in a body; none where it is not an object. */
export const parametersIn = (body: unknown): Parameters => (isRecord(body) ? body : none);

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isEmpty = (value: object): boolean => Object.keys(value).length === 0;
