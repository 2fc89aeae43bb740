import { isLoopbackHost } from './loopback.js';

/** With the colon; empty where the text is no URL. */
export const protocolOf = (text: string): string => (URL.canParse(text) ? new URL(text).protocol : '');

/**
 * Whether the text is an origin as a browser's `Origin` header writes it: no path, no slash, no default port,
 * no pattern.
 */
export const isWebOrigin = (text: string): boolean =>
  /^https?:$/.test(protocolOf(text)) && new URL(text).origin === text && !text.includes('*');

/** The fault of a setting that would send tokens over plain http beyond this machine. */
export function inTheClear(
  setting: string,
  { protocol, hostname, origin }: URL,
  { BEHALF_ALLOW_HTTP }: { readonly BEHALF_ALLOW_HTTP: boolean },
): string[] {
  if (protocol === 'https:' || isLoopbackHost(hostname) || BEHALF_ALLOW_HTTP) return [];
  return [`${setting}: ${origin} would send tokens in the clear; use https, or say BEHALF_ALLOW_HTTP=true`];
}

/** Whether the text is a host as URLs write it: a name in lower case, or an address; an IPv6 address stands in brackets. */
export const isUrlHost = (text: string): boolean =>
  URL.canParse(`https://${text}`) && new URL(`https://${text}`).hostname === text;

/** With the port where that is not 443. */
export const isUrlPlace = (text: string): boolean =>
  URL.canParse(`https://${text}`) && new URL(`https://${text}`).host === text;
