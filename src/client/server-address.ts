import * as oauth from 'oauth4webapi';

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** The address of a server. Throws where tokens would cross a network in the clear. */
export function serverUrl(text: string): URL {
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback.test(url.hostname)))
    throw new TypeError(`Tokens go over https, or to this machine: not to ${url.origin}.`);
  return url;
}

/** Lets the library use an address that `serverUrl` has let pass. */
export const plainHttp = ({ protocol }: URL) => ({
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- only the mark of a dangerous option, and there is no other
  [oauth.allowInsecureRequests]: protocol === 'http:',
});
