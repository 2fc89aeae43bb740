import { ProtocolErrorCode } from '@modelcontextprotocol/server';
import { cutText } from '../../core/cut-text.js';
import { isRecord } from '../../operation/parameters.js';

/** Characters of an error's message. */
const messageMax = 500;
/** The JSON of a message, alone or as the data of an event. */
const messageText = /^(?:data: )?(\{[^\n\r]*\})$/m;

/** Whether an answer of the SDK is an error; so may a result look that repeats one. */
export const isError = (answer: Buffer): boolean => answer.includes('"error":{');

/** An answer of the SDK with its error in one sentence, which does not repeat the whole of a long message. */
export function withShortError(answer: Buffer): Buffer {
  if (!isError(answer)) return answer;
  const text = answer.toString();
  const [, json] = messageText.exec(text) ?? [];
  const message = json === undefined ? undefined : (JSON.parse(json) as unknown);
  if (json === undefined || !isRecord(message) || !isRecord(message.error)) return answer;
  const { code, message: words, data } = message.error;
  const isLong = data !== undefined && JSON.stringify(data).length > messageMax;
  const error = { code, message: cutText(String(words), messageMax), ...(isLong ? {} : { data }) };
  return Buffer.from(
    text.replace(json, () => JSON.stringify({ ...message, error: { ...error, ...issueIn(String(words)) } })),
  );
}

/** The SDK's list of the faults of a message, with or without the name of its method. */
const issues = /^(?:Invalid [a-z/]+ request: )?(\[\n.*\])$/s;

interface Issue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The first of the faults of a message, where the SDK lists them as JSON under a code for failures of its own. */
function issueIn(words: string): { readonly code: number; readonly message: string } | undefined {
  const [, list] = issues.exec(words) ?? [];
  if (list === undefined) return undefined;
  const [first] = JSON.parse(list) as readonly Issue[];
  if (first === undefined) return undefined;
  const at = first.path.join('.');
  const message = `Correct \`${at}\` of the message: ${first.message}.`;
  return { code: ProtocolErrorCode.InvalidParams, message: cutText(message, messageMax) };
}
