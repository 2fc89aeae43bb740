import { ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { Answer } from '../../operation/answer.js';
import { isRecord } from '../../operation/parameters.js';
import { isNothing, type GraphqlResponse } from './results.js';

/** The gate refused the whole request. */
export class Refused extends Error {
  constructor(readonly answer: Answer) {
    super('The gate refused the request.');
  }
}

/** The client, not its model, has to act: a new token, more scopes in it, a wait. */
export const isForClient = ({ status, missingScopes, retryAfterSeconds }: Answer): boolean =>
  status === 401 ||
  status >= 500 ||
  (status === 403 && missingScopes !== undefined) ||
  retryAfterSeconds !== undefined;

/** Whether nothing but the token stood in the way of everything. */
export const isOfToken = ({ data, errors = [] }: GraphqlResponse): boolean =>
  errors.length > 0 &&
  isNothing(data) &&
  errors.every(({ extensions }) => extensions?.code === 'FORBIDDEN' && extensions.layer === 'token');

/** Characters of an error's message. */
const messageMax = 500;
/** The JSON of a message, alone or as the data of an event. */
const messageText = /^(?:data: )?(\{.*\})$/m;

/** An answer of the SDK, whose errors are one sentence each, and do not repeat the whole of a long message. */
export function inWords(answer: Buffer): Buffer {
  if (!answer.includes('"error":{')) return answer;
  const text = answer.toString();
  const [, json] = messageText.exec(text) ?? [];
  const message = json === undefined ? undefined : (JSON.parse(json) as unknown);
  if (json === undefined || !isRecord(message) || !isRecord(message.error)) return answer;
  const { code, message: told, data } = message.error;
  const isLong = data !== undefined && JSON.stringify(data).length > messageMax;
  const error = { code, message: String(told).slice(0, messageMax), ...(isLong ? {} : { data }) };
  return Buffer.from(
    text.replace(json, () => JSON.stringify({ ...message, error: { ...error, ...issueIn(String(told)) } })),
  );
}

interface Issue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Where the SDK lists faults as JSON, by a code of its own failures: the first of them. */
function issueIn(told: string): { readonly code: number; readonly message: string } | undefined {
  if (!told.startsWith('[\n') || !told.endsWith(']')) return undefined;
  const [first] = JSON.parse(told) as readonly Issue[];
  if (first === undefined) return undefined;
  const at = first.path.join('.');
  const message = `Correct \`${at}\` of the message: ${first.message}.`;
  return { code: ProtocolErrorCode.InvalidParams, message: message.slice(0, messageMax) };
}
