import {
  classifyInboundRequest,
  isSpecType,
  ProtocolError,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server';
import type { FastifyRequest } from 'fastify';
import type { Exchange } from './exchange.js';
import { Refused } from './refusals.js';
import { callResult, type ToolResult } from './results.js';

/** A call of a tool by a client of 2026-07-28, with nothing in it that this server does not read. */
export interface PlainCall {
  readonly id: string | number;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

const revision = '2026-07-28';
const method = 'tools/call';
const membersRead: ReadonlySet<string> = new Set(['name', 'arguments', '_meta']);

/**
 * The call in a request; undefined for any other message, and where the head does not say just what the body says. The
 * SDK reads those.
 */
export function plainCallIn({ headers, body, method: httpMethod }: FastifyRequest): PlainCall | undefined {
  const protocolVersionHeader = textOf(headers['mcp-protocol-version']);
  const mcpNameHeader = textOf(headers['mcp-name']);
  if (
    protocolVersionHeader !== revision ||
    headers['mcp-method'] !== method ||
    !isSpecType.CallToolRequest(body)
  )
    return undefined;
  const { name, arguments: input = {} } = body.params;
  if (mcpNameHeader !== name || !Object.keys(body.params).every((member) => membersRead.has(member)))
    return undefined;
  const read = { httpMethod, protocolVersionHeader, mcpMethodHeader: method, mcpNameHeader, body };
  const outcome = classifyInboundRequest(read);
  if (outcome.kind !== 'modern' || outcome.messageKind !== 'request') return undefined;
  if (outcome.classification.revision !== revision) return undefined;
  return { id: outcome.message.id, name, input };
}

const textOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined;

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
  const { structuredContent: _value, _meta, ...rest } = callResult(result);
  const meta = { ..._meta, [SERVER_INFO_META_KEY]: serverInfo };
  const others = JSON.stringify({ ...rest, resultType: 'complete', _meta: meta });
  return `{"structuredContent":${result.json},${others.slice(1)}`;
}
