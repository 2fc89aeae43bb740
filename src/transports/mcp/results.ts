import type { CallToolResult, ResourceLink } from '@modelcontextprotocol/server';

/** A GraphQL response, as it came from the gate. */
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
    readonly hint?: string;
    readonly missingScopes?: readonly string[];
  };
}

/** A list that was cut. */
interface Cut {
  readonly path: string;
  readonly shown: number;
  readonly of: number;
  readonly next: string;
}

/** Characters of a result as JSON: about six thousand tokens. */
const resultMax = 24_000;
/** The errors of a result: one per refused field of each row would say the same thing again and again. */
const errorsMax = 10;

/** The result of a tool that gives this value. */
export const valueResult = (value: object, isError = false): CallToolResult => ({
  content: [{ type: 'text', text: JSON.stringify(value) }],
  structuredContent: value,
  ...(isError ? { isError: true } : {}),
});

/** The result of a tool that could not do it, in one sentence with what to do next. */
export const failure = (
  code: string,
  message: string,
  next: string,
  operationId?: string,
): CallToolResult => ({
  content: [{ type: 'text', text: [`${code}: ${message}`, next].filter(Boolean).join(' ') }],
  structuredContent: {
    errors: [{ code, message, next }],
    ...(operationId === undefined ? {} : { operationId }),
  },
  isError: true,
});

/** The part of a result that holds words of customers, colleagues and documents. Clients can fence it by this. */
const untrusted = { 'behalf/untrusted': ['/data'] };

/** A GraphQL response for a model: no nulls, equal errors once, and lists cut so that the result has a bounded size. */
export function responseResult(response: GraphqlResponse, operationId: string): CallToolResult {
  const data = compact(response.data ?? null);
  const errors = compactErrors(response.errors ?? []);
  const { value, cut } = bounded(data);
  const told = {
    data: value,
    ...(errors.length === 0 ? {} : { errors }),
    ...(cut.length === 0 ? {} : { cut }),
    operationId,
  };
  return { ...valueResult(told, isNothing(response.data) && errors.length > 0), _meta: untrusted };
}

export const isNothing = (data: unknown): boolean =>
  data === null || data === undefined || Object.values(data).every((value) => value === null);

/** Without members that are null: a list of a hundred rows would repeat them a hundred times. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, compact(member)]),
  );
}

/** Equal errors of many rows become one, whose path has `*` for the places in lists. */
function compactErrors(errors: readonly ResponseError[]): readonly object[] {
  const known = new Map<string, object>();
  for (const { message, path, extensions = {} } of errors) {
    const at = path?.map((step) => (typeof step === 'number' ? '*' : step)).join('.');
    const { code, hint, missingScopes, layer } = extensions;
    const told = { code, message, path: at, missingScopes, layer, next: hint };
    known.set(JSON.stringify(told), told);
  }
  const all = [...known.values()];
  if (all.length <= errorsMax) return all;
  return [...all.slice(0, errorsMax), { message: `${String(all.length - errorsMax)} more errors.` }];
}

interface SearchAnswer {
  readonly data?: {
    readonly search?: { readonly nodes?: readonly { readonly document?: { id: string; title: string } }[] };
  };
}

/** The documents of a search as links, which a client can cite and read. */
export function citations(answer: unknown): readonly ResourceLink[] {
  const { nodes = [] } = (answer as SearchAnswer | undefined)?.data?.search ?? {};
  const titles = new Map(nodes.flatMap(({ document }) => (document ? [[document.id, document.title]] : [])));
  return [...titles].map(([id, title]) => ({
    type: 'resource_link',
    uri: documentUri(id),
    name: id,
    title,
    mimeType: 'text/markdown',
  }));
}

export const documentUri = (id: string): string => `behalf://document/${id}`;

/** Cuts the longest list again and again, until the whole has a bounded size. */
function bounded(data: unknown): { readonly value: unknown; readonly cut: readonly Cut[] } {
  const cut = new Map<string, Cut>();
  let value = data;
  for (let size = JSON.stringify(value).length; size > resultMax; size = JSON.stringify(value).length) {
    const list = longest(value, []);
    if (list === undefined) return { value: null, cut: [tooLong] };
    const kept = Math.floor((list.length * resultMax) / (size * 1.1));
    const path = list.path.join('.');
    const of = cut.get(path)?.of ?? list.length;
    const shown = Math.min(Math.max(0, kept), list.length - 1);
    cut.set(path, {
      ...{ path, shown, of },
      next: `Ask again with \`first: ${String(Math.max(1, shown))}\`, then go on with \`after: pageInfo.endCursor\`, or select fewer fields.`,
    });
    value = withCut(value, list.path, shown);
  }
  return { value, cut: [...cut.values()] };
}

const tooLong: Cut = {
  ...{ path: '', shown: 0, of: 1 },
  next: 'A text is too long for one result. Select fewer long fields at once.',
};

interface Found {
  readonly path: readonly (string | number)[];
  readonly length: number;
  readonly size: number;
}

/** The list that takes the most room, by itself: without an element that takes nearly all of it. */
function longest(value: unknown, path: readonly (string | number)[]): Found | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const inside = Object.entries(value).flatMap(
    ([name, member]) => longest(member, [...path, Array.isArray(value) ? Number(name) : name]) ?? [],
  );
  const own =
    Array.isArray(value) && value.length > 0
      ? [{ path, length: value.length, size: JSON.stringify(value).length - largest(value) }]
      : [];
  return [...inside, ...own].reduce<Found | undefined>(
    (best, found) => (best === undefined || found.size > best.size ? found : best),
    undefined,
  );
}

const largest = (values: readonly unknown[]): number =>
  values.reduce<number>((most, value) => Math.max(most, JSON.stringify(value).length), 0);

function withCut(value: unknown, [step, ...path]: readonly (string | number)[], length: number): unknown {
  if (step === undefined) return (value as unknown[]).slice(0, length);
  if (Array.isArray(value))
    return value.map((member: unknown, at) => (at === step ? withCut(member, path, length) : member));
  return Object.fromEntries(
    Object.entries(value as object).map(([name, member]) => [
      name,
      name === step ? withCut(member, path, length) : (member as unknown),
    ]),
  );
}
