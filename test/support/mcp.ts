import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** The revision of the protocol that a client speaks first. */
export type Era = 'modern' | 'legacy';

/** A client of the official SDK, connected with a token for `/mcp`. */
export async function mcpClient(url: string, token: string, era: Era = 'modern'): Promise<Client> {
  const client = new Client(
    { name: 'test-client', version: '1.0.0' },
    era === 'modern' ? { versionNegotiation: { mode: 'auto' } } : {},
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );
  return client;
}
