import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  isSpecType,
  PROTOCOL_VERSION_META_KEY,
  ProtocolError,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server';
import type { FastifyRequest } from 'fastify';
import { isEmpty, isRecord } from '../../operation/parameters.js';
import type { Exchange } from './exchange.js';
import { isId, targetOf } from './message.js';
import { Refused } from './refusals.js';
import { membersOf, type ToolResult } from './results.js';

/** A call of a tool by a client of 2026-07-28, with nothing in it that this server does not read. */
export interface PlainCall {
  readonly id: string | number;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

const revision = '2026-07-28';
const method = 'tools/call';
/** A name in the head that is not in ASCII begins so, and stands for another. */
const encodedName = '=?base64?';

/**
 * The call in a request; undefined for any other message, and where the head does not say just what the body says. The
 * SDK reads those.
 */
export function plainCallIn({
  headers,
  body,
}: Pick<FastifyRequest, 'headers' | 'body'>): PlainCall | undefined {
  if (headers['mcp-protocol-version'] !== revision || headers['mcp-method'] !== method) return undefined;
  if (!isRecord(body) || !hasOnly(body, messageMembers)) return undefined;
  const { jsonrpc, id, method: called, params } = body;
  if (jsonrpc !== '2.0' || called !== method || !isId(id)) return undefined;
  if (!isRecord(params) || !hasOnly(params, callMembers)) return undefined;
  const { name, arguments: input = {}, _meta } = params;
  if (typeof name !== 'string' || headers['mcp-name'] !== name || name.startsWith(encodedName))
    return undefined;
  if (!isRecord(input) || !isEnvelope(_meta)) return undefined;
  return { id, name, input };
}

const messageMembers: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);
const callMembers: ReadonlySet<string> = new Set(['name', 'arguments', '_meta']);
const envelopeMembers: ReadonlySet<string> = new Set([
  ...[PROTOCOL_VERSION_META_KEY, CLIENT_INFO_META_KEY, CLIENT_CAPABILITIES_META_KEY],
  'progressToken',
]);

function isEnvelope(meta: unknown): boolean {
  if (!isRecord(meta) || !hasOnly(meta, envelopeMembers)) return false;
  const {
    [PROTOCOL_VERSION_META_KEY]: version,
    [CLIENT_INFO_META_KEY]: client,
    [CLIENT_CAPABILITIES_META_KEY]: capabilities,
    progressToken,
  } = meta;
  return (
    version === revision &&
    isSpecType.Implementation(client) &&
    isRecord(capabilities) &&
    (isEmpty(capabilities) || isSpecType.ClientCapabilities(capabilities)) &&
    (progressToken === undefined || isId(progressToken))
  );
}

/**
 * Whether the head of a message of 2025, which need not say anything about it, says something else than its body: a proxy may
 * have let it pass by its head. The SDK looks at the heads of 2026-07-28.
 */
export function hasOtherHead({ headers, body }: Pick<FastifyRequest, 'headers' | 'body'>): boolean {
  if (headers['mcp-protocol-version'] === revision || !isRecord(body)) return false;
  const { 'mcp-method': called = body.method, 'mcp-name': name } = headers;
  if (called !== body.method) return true;
  const { params } = body;
  if (name === undefined || !isRecord(params)) return false;
  return targetOf(body.method, params) !== decodedName(String(name));
}

const decodedName = (name: string): string =>
  name.startsWith(encodedName) && name.endsWith('?=')
    ? Buffer.from(name.slice(encodedName.length, -2), 'base64').toString()
    : name;

const hasOnly = (value: object, members: ReadonlySet<string>): boolean =>
  Object.keys(value).every((member) => members.has(member));

/** The JSON of the message that answers a call; undefined where the client has to act, so that the status says it. */
export async function answerTo(
  { id, name, input }: PlainCall,
  exchange: Exchange,
  serverInfo: object,
): Promise<string | undefined> {
  try {
    const result = await exchange.call(name, input);
    return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultJson(result, serverInfo)}}`;
  } catch (error) {
    if (error instanceof Refused) return undefined;
    if (!(error instanceof ProtocolError)) throw error;
    const { code, message, data } = error;
    return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } });
  }
}

/** The JSON of the value stands in the text as well: it is not made twice. */
function resultJson(result: ToolResult, serverInfo: object): string {
  const { _meta, ...rest } = membersOf(result);
  const meta = { ..._meta, [SERVER_INFO_META_KEY]: serverInfo };
  const others = JSON.stringify({ ...rest, resultType: 'complete', _meta: meta });
  return `{"structuredContent":${result.json},${others.slice(1)}`;
}
