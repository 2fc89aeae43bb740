import { html, type Html } from './html.js';

/** Where an address leads, in the words that tell people most: its host, this computer, or a program with its own scheme. */
export function destination(uri: string): string {
  const { protocol, host } = new URL(uri);
  if (protocol === 'http:') return 'a program on this computer';
  return protocol === 'https:' ? host : `a program on this device that answers to ${protocol}`;
}

/** The host in the id of an application, where its id is the address of a document about it. TLS proves this host. */
export const hostInId = (clientId: string): string | undefined =>
  /^https?:/.test(clientId) ? new URL(clientId).host : undefined;

/** The host behind an application, before anything that it says of itself. */
export function whereItIsFrom(clientId: string): Html | undefined {
  const host = hostInId(clientId);
  return host === undefined
    ? undefined
    : html`<dt>Where the application is from</dt>
        <dd><strong>${host}</strong> <code class="soft">${clientId}</code></dd>`;
}
