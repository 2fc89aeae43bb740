import { badInput, type BehalfError } from '../../core/errors.js';
import type { FixedTool } from '../../operation/guide.js';
import type { GuideRequest } from '../../operation/operation-request.js';
import { kindFault, namesFault } from '../../operation/tool-input.js';
import { fixedTools } from './tools.js';

export type Input = Readonly<Record<string, unknown>>;

/** An argument that is null counts as left out: models write both. */
export const withoutNulls = (input: Input): Input =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));

/** The fault in the input of a fixed tool, in one sentence that says what to send. */
export function inputFault(name: FixedTool, input: Input): BehalfError | undefined {
  const { inputSchema } = fixedTools[name];
  return namesFault(name, inputSchema, input) ?? kindFault(inputSchema, input) ?? choiceFault(name, input);
}

function choiceFault(name: FixedTool, input: Input): BehalfError | undefined {
  if (name === 'search_knowledge')
    return String(input.words).trim() === ''
      ? badInput('`words` is empty: send what you look for.', 'words')
      : undefined;
  const { document, documentId, variables, operationId, scopes } = input;
  const isDocument = document !== undefined || documentId !== undefined;
  if (document === '') return badInput('`document` is empty: send the text of an operation.', 'document');
  if (document !== undefined && documentId !== undefined)
    return badInput('Send `document` or `documentId`, not both.', 'documentId');
  if ((name === 'query' || name === 'mutate' || name === 'validate') && !isDocument)
    return badInput(
      'Send the text of an operation as `document`, or a registered name as `documentId`.',
      'document',
    );
  if (name !== 'explain_refusal') return undefined;
  const subjects = [operationId !== undefined, isDocument, scopes !== undefined].filter(Boolean).length;
  if (subjects !== 1)
    return badInput('Send one of `operationId`, `document` (or `documentId`) and `scopes`.', 'operationId');
  return variables !== undefined && !isDocument
    ? badInput('`variables` belong to a `document`: leave them out.', 'variables')
    : undefined;
}

/** The question of `explain_refusal` to the guide. */
export function refusalQuestion(input: Input): GuideRequest {
  const { operationId } = input;
  if (typeof operationId === 'string') return { name: 'operation.explain', operationId };
  if (Array.isArray(input.scopes)) return { name: 'scopes.explain', scopes: input.scopes as string[] };
  return { name: 'document.explain', body: parametersOf(input) };
}

export const parametersOf = ({ document, documentId, variables }: Input): object => ({
  ...(document === undefined ? {} : { query: document }),
  ...(documentId === undefined ? {} : { documentId }),
  ...(variables === undefined ? {} : { variables }),
});
