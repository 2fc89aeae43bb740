import type { CallToolResult, ResourceLink } from '@modelcontextprotocol/server';
import { cutText } from '../../core/cut-text.js';
import { adviceOn } from './advice.js';
import { AnswerShape } from './answer-shape.js';
import { cutLists, type Cut, type CutLists } from './cut-lists.js';
import { documentUri } from './document-resource.js';
import { isNothing, type GraphqlResponse, type ResponseError } from './graphql-response.js';
import { shownPart } from './shown-part.js';
import { inToolWords, type ToolDocument } from './tool-words.js';

/** Whether a scope may be named to the caller. */
export type IsNameable = (scope: string) => boolean;

/** Characters of a result as JSON: about six thousand tokens. */
const resultMax = 24_000;
/** Errors of a result. */
const errorsMax = 10;
/** Characters of them as JSON; less than the result may have. */
const errorsSizeMax = 8_000;
/** Characters of a text in an error: it may repeat a part of the document. */
const errorTextMax = 500;
/** Characters of the path of an error. */
const pathMax = 200;

/** The result of a tool, before it has the form of the protocol. */
export interface ToolResult {
  /** A JSON object. */
  readonly json: string;
  /** Stands in place of the JSON for a model. */
  readonly sentence?: string;
  readonly links?: readonly ResourceLink[];
  readonly isError?: boolean;
  /** True where it has words of customers, colleagues and documents. */
  readonly hasData?: boolean;
}

/** The result of a tool that gives this value. */
export const valueResult = (value: object, isError = false): ToolResult => ({
  json: JSON.stringify(value),
  isError,
});

/** The result of a tool that could not do it, in one sentence with what to do next. */
export const failure = (code: string, message: string, next?: string, operationId?: string): ToolResult => ({
  ...valueResult({ errors: [{ code, message, next }], operationId }, true),
  sentence: [`${code}: ${message}`, ...(next === undefined ? [] : [next])].join(' '),
});

/** The part of a result that holds words of customers, colleagues and documents. Clients can fence it by this. */
const untrusted = { 'behalf/untrusted': ['/data'] };

/** The members of a result in the form of the protocol, without its structured content. */
export const membersOf = ({ json, sentence, links = [], isError, hasData }: ToolResult) => ({
  content: [{ type: 'text' as const, text: sentence ?? json }, ...links],
  ...(isError === true ? { isError: true } : {}),
  ...(hasData === true ? { _meta: untrusted } : {}),
});

/** A result in the form of the protocol. */
export const callResult = (result: ToolResult): CallToolResult => ({
  ...membersOf(result),
  structuredContent: JSON.parse(result.json) as Record<string, unknown>,
});

/** The operation that a response answers. */
export interface Ran extends ToolDocument {
  readonly operationId: string;
  readonly isMutation?: boolean;
  /** As values, where they are at hand. They stay as they are. */
  readonly response?: GraphqlResponse | undefined;
}

/**
 * A GraphQL response for a model: no nulls, equal errors once, and lists cut so that the result has a bounded size.
 * @param body the response as JSON
 */
export function responseResult(body: string, ran: Ran, isNameable: IsNameable): ToolResult {
  const { operationId } = ran;
  const whole = asItIs(body, operationId);
  if (whole !== undefined) return { json: whole, hasData: true };
  const response = ran.response ?? (JSON.parse(body) as GraphqlResponse);
  const { data = null } = response;
  const errors = compactErrors(response.errors ?? [], ran, isNameable);
  const isError = isNothing(data) && errors.length > 0;
  const rest = { ...(errors.length === 0 ? {} : { errors }), operationId };
  const others = JSON.stringify({ data: 0, cut: 0, ...rest }).length - 2;
  // Most responses are short.
  const cuts = body.length + others <= resultMax ? undefined : cutsOf(data, ran, resultMax - others);
  if (typeof cuts === 'string') {
    const nothing: Cut = { path: '', shown: 0, of: 1, next: cuts };
    return { ...valueResult({ data: null, cut: [nothing], ...rest }, isError), hasData: true };
  }
  const { cut = [] } = cuts ?? {};
  const shown = { data: shownPart(data, cuts), ...(cut.length === 0 ? {} : { cut }), ...rest };
  return { ...valueResult(shown, isError), hasData: true };
}

function cutsOf(data: unknown, { document, isMutation }: Ran, charactersMax: number): CutLists | string {
  const shape = document === undefined ? undefined : AnswerShape.of(document);
  return cutLists({ data, shape, isChange: isMutation }, charactersMax);
}

/** The JSON of a result, where nothing of a response has to be left out; undefined where something might. */
function asItIs(body: string, operationId: string): string | undefined {
  const json = `${body.slice(0, body.lastIndexOf('}'))},"operationId":${JSON.stringify(operationId)}}`;
  const isWhole = body.startsWith('{"data":{') && !textsToChange.some((text) => body.includes(text));
  return isWhole && json.length <= resultMax ? json : undefined;
}

/** A response without these texts has nulls nowhere and no member beside its data. */
const textsToChange = ['null', '"errors":', '"extensions":'];

/** A scope that the person lacks is not named: nobody could hand it over. */
const lackedByPerson = {
  message: 'The person for whom you act does not hold what this needs.',
  next: 'Go on without it: it cannot be asked for.',
};

/** Equal errors of many rows become one, whose path has `*` for the places in lists. */
function compactErrors(
  errors: readonly ResponseError[],
  ran: ToolDocument,
  isNameable: IsNameable,
): readonly object[] {
  const distinct = new Map<string, object>();
  for (const error of errors) {
    const { path, extensions = {} } = error;
    const { message, next } = inToolWords(error, ran);
    const at = path?.map((step) => (typeof step === 'number' ? '*' : step)).join('.');
    const { code, hint, missingScopes, layer } = extensions;
    const advice = hint ?? next ?? adviceOn(code, message);
    const place = { code, path: at === undefined ? undefined : cutText(at, pathMax), layer };
    const entry =
      missingScopes?.every(isNameable) === false
        ? { ...place, ...lackedByPerson }
        : {
            ...{ ...place, message: cutText(message, errorTextMax), missingScopes },
            next: advice === undefined ? undefined : cutText(advice, errorTextMax),
          };
    distinct.set(JSON.stringify(entry), entry);
  }
  const shown: object[] = [];
  let size = 0;
  for (const [json, entry] of distinct) {
    size += json.length;
    if (shown.length >= errorsMax || (shown.length > 0 && size > errorsSizeMax)) break;
    shown.push(entry);
  }
  if (shown.length === distinct.size) return shown;
  return [...shown, { message: `${String(distinct.size - shown.length)} more errors.` }];
}

interface SearchAnswer {
  readonly data?: {
    readonly search?: { readonly nodes?: readonly { readonly document?: { readonly id: string } }[] };
  };
}

/** The documents of a search as links, which a client can cite and read. Their titles stand in the data, which is marked. */
export function citations({ json }: ToolResult): readonly ResourceLink[] {
  const { nodes = [] } = (JSON.parse(json) as SearchAnswer).data?.search ?? {};
  const ids = new Set(nodes.flatMap(({ document }) => document?.id ?? []));
  return [...ids].map((id) => ({
    type: 'resource_link',
    uri: documentUri(id),
    name: id,
    mimeType: 'text/markdown',
  }));
}
