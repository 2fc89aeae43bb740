/** Whether the host of a URL is this machine. An IPv6 address stands in brackets (RFC 3986 section 3.2.2). */
export const isLoopbackHost = (hostname: string): boolean =>
  ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
