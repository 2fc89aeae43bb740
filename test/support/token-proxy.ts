import { createServer, request, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** Passes requests on with a token, for a program that has none. Returns it with its address. */
export async function tokenProxy(
  target: string,
  token: string,
): Promise<{ readonly url: string; readonly proxy: Server }> {
  const { port: targetPort, hostname } = new URL(target);
  const proxy = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const passed = request(
      { method, path, hostname, port: targetPort, headers: { ...headers, authorization: `Bearer ${token}` } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return { url: `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`, proxy };
}
