import { createServer, type Server } from 'node:http';
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import type { Provider as Library } from 'oidc-provider';
import { Provider } from '../../../src/oauth/library/oidc-provider.js';
import { MemoryAdapter } from './memory-adapter.js';

/** A person as the company knows them. */
export interface Employee {
  readonly sub: string;
  readonly name: string;
}

export const clientId = 'behalf';
export const clientSecret = 'a-secret-of-the-demo-company-for-this-run-alone';

const page = ({ name }: Employee, uid: string): string => `<!doctype html>
<title>Sign in to the company</title>
<form method="post" action="/interaction/${uid}"><button>Continue as ${name}</button></form>`;

/** The company's own identity provider: a second, independent oidc-provider on the loopback address. */
export class CompanyProvider {
  private constructor(
    readonly issuer: string,
    private readonly key: CryptoKey,
    private readonly server: Server,
  ) {}

  /** @param redirectUri where the answer about the employee goes */
  static async start(employee: Employee, redirectUri: string): Promise<CompanyProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
    const issuer = `http://127.0.0.1:${String(address.port)}`;
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const library = libraryFor(issuer, employee, redirectUri, {
      ...{ ...(await exportJWK(privateKey)), kty: 'EC' },
      ...{ kid: 'company', alg: 'ES256', use: 'sig' },
    });
    serve(server, library, employee);
    return new CompanyProvider(issuer, privateKey, server);
  }

  /** Tells the server that the person's session here has ended (OpenID Connect Back-Channel Logout 1.0). */
  async endSession({ sub }: Employee, logoutUri: string): Promise<number> {
    const token = await new SignJWT({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })
      .setProtectedHeader({ alg: 'ES256', kid: 'company', typ: 'logout+jwt' })
      .setIssuer(this.issuer)
      .setAudience(clientId)
      .setSubject(sub)
      .setIssuedAt()
      .setExpirationTime('2m')
      .setJti(randomUUID())
      .sign(this.key);
    const body = new URLSearchParams({ logout_token: token });
    return (await fetch(logoutUri, { method: 'POST', body })).status;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

type Key = NonNullable<NonNullable<ConstructorParameters<typeof Provider>[1]>['jwks']>['keys'][number];

function libraryFor(issuer: string, { sub, name }: Employee, redirectUri: string, key: Key): Library {
  const stores = new Map<string, MemoryAdapter>();
  const storeOf = (model: string): MemoryAdapter => {
    const store = stores.get(model) ?? new MemoryAdapter();
    stores.set(model, store);
    return store;
  };
  const library: Library = new Provider(issuer, {
    adapter: storeOf,
    jwks: { keys: [key] },
    clients: [
      {
        ...{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] },
        id_token_signed_response_alg: 'ES256',
      },
    ],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    scopes: ['openid', 'profile'],
    claims: { profile: ['name'] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    cookies: { keys: [randomUUID()] },
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 60, Interaction: 600, Session: 600 },
    findAccount: () => ({ accountId: sub, claims: () => ({ sub, name }) }),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    loadExistingGrant: async (ctx) => {
      const { client, session } = ctx.oidc;
      const grant = new library.Grant({ clientId: client?.clientId, accountId: session?.accountId });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
  });
  return library;
}

function serve(server: Server, library: Library, employee: Employee): void {
  const answer = library.callback();
  server.on('request', (request, response) => {
    const [, uid] = /^\/interaction\/([\w-]+)$/.exec(request.url ?? '') ?? [];
    if (uid === undefined) void answer(request, response);
    else if (request.method === 'POST') {
      const login = { accountId: employee.sub, remember: false };
      void library.interactionFinished(request, response, { login });
    } else response.setHeader('content-type', 'text/html; charset=utf-8').end(page(employee, uid));
  });
}
