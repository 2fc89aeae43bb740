import { CLIENT_INFO_META_KEY } from '@modelcontextprotocol/server';
import { cutText } from '../../core/cut-text.js';
import type { McpUse } from '../../operation/operation-request.js';
import { isRecord } from '../../operation/parameters.js';

/** The method, target and client of a message for its record, as the client says them. The message may be any value. */
export function messageOf(body: unknown): McpUse {
  const { method, params } = isRecord(body) ? body : {};
  const { name, uri, _meta, clientInfo } = isRecord(params) ? params : {};
  const meta = isRecord(_meta) ? _meta : {};
  const info = isRecord(meta[CLIENT_INFO_META_KEY]) ? meta[CLIENT_INFO_META_KEY] : clientInfo;
  const called = shortText(method) ?? 'unknown';
  return {
    method: called,
    target: shortText(targetOf(called, { name, uri })) ?? null,
    client: isRecord(info)
      ? [info.name, info.version].flatMap((part) => shortText(part) ?? []).join(' ')
      : null,
  };
}

/** The tool or resource that a message is about, as `Mcp-Name` tells it. */
export const targetOf = (method: unknown, { name, uri }: { name?: unknown; uri?: unknown }): unknown =>
  typeof method === 'string' && method.startsWith('resources/') ? uri : name;

/** Whether a value can be the id of a message, which comes back as it was. */
export const isId = (value: unknown): value is string | number =>
  typeof value === 'string' || Number.isSafeInteger(value);

/** Characters of each text of a message that its record keeps. */
const recordedMax = 200;

const shortText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? cutText(value, recordedMax) : undefined;

const connecting: ReadonlySet<string> = new Set([
  ...['initialize', 'ping', 'server/discover', 'subscriptions/listen'],
]);

/** Whether a message asks for nothing but the connection, so that it costs nothing. */
export const isConnecting = ({ method }: McpUse): boolean =>
  connecting.has(method) || method.startsWith('notifications/');
