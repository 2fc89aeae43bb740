import {
  createMcpHandler,
  type McpHttpHandler,
  type McpRequestContext,
  type McpServer,
} from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { badInput, BehalfError } from '../../core/errors.js';
import { isLoopbackHost } from '../../core/loopback.js';
import type { OperationGate } from '../../operation/gate.js';
import type { ToolsWatch } from '../../operation/tools-watch.js';
import { HttpError } from '../http/http-error.js';
import { everyMethod, methodFault } from '../http/methods.js';
import { arrivalOf, type HttpOperations } from '../http/operations.js';
import { whenEnded } from '../http/response-end.js';
import { Exchange, serverInfo } from './exchange.js';
import { messageOf } from './message.js';
import { answerTo, hasOtherHead, plainCallIn, type PlainCall } from './plain-call.js';
import { HeaderMismatch } from './refusal-message.js';
import { isError, withShortError } from './sdk-errors.js';
import { Streams, type Stream } from './streams.js';

export interface McpParts {
  readonly gate: OperationGate;
  readonly toolsWatch: ToolsWatch;
  readonly publicUrl: string;
  /** Of this server, as clients are told. */
  readonly version: string;
  /** Whether a page of this origin may send messages. */
  readonly allowsOrigin: (origin: string) => boolean;
  /** Whether the server is reached on this machine alone. */
  readonly isLocal: boolean;
}

interface Route extends McpParts {
  readonly operations: HttpOperations;
  readonly handler: McpHttpHandler;
  readonly streams: Streams;
}

const path = '/mcp';
/** They belong to the connection, which is this server's own. */
const ownHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
]);

/**
 * `/mcp`: the Model Context Protocol over Streamable HTTP, without sessions. Each message is one operation of the gate.
 * Revision 2026-07-28, and those of 2025 that clients still speak.
 */
export function mcpRoute(scope: FastifyInstance, operations: HttpOperations, parts: McpParts): void {
  const streams = new Streams(parts.toolsWatch);
  const route = { ...parts, operations, streams, handler: createMcpHandler(serverOf) };
  scope.addHook('preClose', () => {
    streams.endAll();
    return Promise.resolve();
  });
  operations.guard(scope);
  scope.route({
    method: everyMethod,
    url: path,
    handler: async (request, reply) => {
      // Clients of 2025 ask for a stream by GET as soon as they are connected.
      const otherMethod = methodFault(request, reply, ['POST']);
      if (otherMethod !== undefined) return operations.refuse(request, reply, otherMethod, { isFree: true });
      const fault = hostFault(request, parts) ?? originFault(request, parts) ?? bodyFault(request);
      if (fault !== undefined) return operations.refuse(request, reply, fault);
      const stream = isStream(request) ? streams.enter(arrivalOf(request), reply) : undefined;
      if (stream instanceof BehalfError) return operations.refuse(request, reply, stream);
      const { gate, version } = parts;
      const exchange = new Exchange(gate, arrivalOf(request), messageOf(request.body), version);
      const call = plainCallIn(request);
      return call === undefined
        ? answerBySdk(exchange, request, reply, route, stream)
        : answerPlainCall(call, exchange, request, reply, route);
    },
  });
}

/** The SDK makes a server for each message; ours belongs to the exchange of that message. */
const serverOf = ({ authInfo, era }: McpRequestContext): McpServer =>
  (authInfo?.extra?.exchange as Exchange).server(era);

/** A call of a tool as clients send it needs no server of the SDK, which costs more than the call itself. */
async function answerPlainCall(
  call: PlainCall,
  exchange: Exchange,
  request: FastifyRequest,
  reply: FastifyReply,
  { operations, version }: Route,
): Promise<unknown> {
  const json = await answerTo(call, exchange, serverInfo(version));
  const { answer: answered } = await exchange.end(true);
  if (json === undefined) return operations.refusalOf(request, reply, answered);
  void reply
    .header('content-type', 'application/json')
    .header('cache-control', 'no-store')
    .header('behalf-operation-id', answered.operationId);
  return Buffer.from(json);
}

async function answerBySdk(
  exchange: Exchange,
  request: FastifyRequest,
  reply: FastifyReply,
  { operations, publicUrl, handler, streams }: Route,
  stream: Stream | undefined,
): Promise<unknown> {
  const arrival = arrivalOf(request);
  const seen = stream === undefined ? undefined : await streams.see(arrival);
  const gone = stream === undefined ? goneOf(reply) : stream.gone.signal;
  const { fetch } = stream === undefined ? handler : createMcpHandler(serverOf, { bus: stream.bus });
  const response = await fetch(webRequest(request, publicUrl, gone), {
    parsedBody: request.body,
    authInfo: { token: '', clientId: '', scopes: [], extra: { exchange } },
  });
  const isOpen = stream !== undefined && (await hasOpened(response));
  const bytes = isOpen ? undefined : withShortError(Buffer.from(await response.arrayBuffer()));
  const isAnswered = bytes === undefined || (stream === undefined && response.ok && !isError(bytes));
  const { answer: answered, isForClient } = await exchange.end(isAnswered);
  if (isForClient) {
    if (bytes === undefined) await response.body?.cancel();
    return operations.refusalOf(request, reply, answered);
  }
  void reply.code(response.status).header('behalf-operation-id', answered.operationId);
  response.headers.forEach((value, name) => {
    if (!ownHeaders.has(name)) void reply.header(name, value);
  });
  void reply.header('cache-control', 'no-store');
  if (bytes !== undefined || stream === undefined || seen === undefined) return bytes;
  streams.open(arrival, stream, seen);
  return reply.send(response.body);
}

/** Whether the SDK has opened a stream: it may say inside of one that it refuses it. */
async function hasOpened(response: Response): Promise<boolean> {
  if (!response.ok || response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
    return false;
  const body = response.clone().body as ReadableStream<Uint8Array> | null;
  const reader = body?.getReader();
  const first = await reader?.read().catch(() => undefined);
  // It resolves with the end of the other copy.
  reader?.cancel().catch(() => undefined);
  // Nothing comes where the client has gone.
  return first?.value === undefined || !isError(Buffer.from(first.value));
}

/**
 * A page whose name leads to this machine (DNS rebinding) could send messages to a server that only this machine
 * reaches.
 */
function hostFault({ hostname }: FastifyRequest, { publicUrl, isLocal }: McpParts): BehalfError | undefined {
  if (!isLocal || [new URL(publicUrl).hostname, 'localhost', '127.0.0.1', '[::1]'].includes(hostname))
    return undefined;
  return new HttpError(
    403,
    `This server is not known by the name in \`Host\`. Send messages to ${publicUrl}${path}.`,
  );
}

/** A page of another origin that knows a token may still not be one that the operator trusts. */
function originFault(
  { headers }: FastifyRequest,
  { publicUrl, allowsOrigin, isLocal }: McpParts,
): BehalfError | undefined {
  const { origin } = headers;
  if (origin === undefined || origin === new URL(publicUrl).origin || allowsOrigin(origin)) return undefined;
  if (isLocal && URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)) return undefined;
  return new HttpError(
    403,
    'Pages of this origin may not send messages. An operator can allow it by BEHALF_ALLOWED_ORIGINS.',
  );
}

const isStream = ({ body }: FastifyRequest): boolean => messageOf(body).method === 'subscriptions/listen';

function bodyFault(request: FastifyRequest): BehalfError | undefined {
  if (Array.isArray(request.body))
    return badInput('Send one message with each request: batches are not taken.');
  if (hasMoreValues(request.body, valuesMax))
    return badInput(`A message has at most ${String(valuesMax)} members and items in all.`);
  return hasOtherHead(request) ? new HeaderMismatch() : undefined;
}

/** Checks of a message take time for each member and item in it. */
const valuesMax = 10_000;

function hasMoreValues(whole: unknown, max: number): boolean {
  const waiting = [whole];
  let count = 0;
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (value === null || typeof value !== 'object') continue;
    const values = Object.values(value) as unknown[];
    count += values.length;
    if (count > max) return true;
    waiting.push(...values);
  }
  return false;
}

function webRequest(
  { method, headers, originalUrl }: FastifyRequest,
  publicUrl: string,
  signal: AbortSignal,
): Request {
  const sent = new Headers();
  for (const [name, value] of Object.entries(headers))
    if (name !== 'authorization' && name !== 'dpop' && value !== undefined)
      sent.set(name, [value].flat().join(', '));
  const wanted = new Request(new URL(originalUrl, publicUrl), { method, headers: sent, signal });
  // The signal that Node makes from it is not aborted any more once the request has been collected.
  return Object.defineProperty(wanted, 'signal', { value: signal });
}

function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  whenEnded(reply.raw, () => {
    gone.abort();
  });
  return gone.signal;
}
