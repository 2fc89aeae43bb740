import { createServer, type Server } from 'node:http';
import {
  exportJWK,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  decodeJwt,
  type CryptoKey,
  type JWTPayload,
} from 'jose';
import type { Configuration, Provider as Library } from 'oidc-provider';
import { addProvider } from '../../src/admin/identity-providers.js';
import { Provider } from '../../src/oauth/library/oidc-provider.js';
import type { IdentityProviderRow } from '../../src/store/tables/identity-providers.js';
import type { Company } from './administration.js';
import { freePort } from './free-port.js';

/** A person as the company's provider knows them. */
export interface Colleague {
  readonly sub: string;
  readonly preferred_username?: string;
  readonly name?: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly groups?: readonly string[];
}

export const companyClientId = 'behalf';
export const companySecret = 'the-secret-of-behalf-at-the-company-and-long-enough';

type Forge = (
  claims: JWTPayload,
  provider: CompanyProvider,
) => Promise<string | undefined> | string | undefined;

/**
 * The company's identity provider: a real oidc-provider on a loopback address. Whoever `signedIn` names is signed in
 * there, without a page.
 */
export class CompanyProvider {
  signedIn: Colleague | undefined;
  /** Replaces the ID token of each answer of the token endpoint; undefined leaves it out. */
  forge: Forge | undefined;
  /** Replaces the answer at its path; undefined leaves every answer as it is. */
  replaced: { readonly path: string; readonly status?: number; readonly body: unknown } | undefined;
  /** The path of each request, in the order in which they came. */
  readonly requested: string[] = [];
  private readonly people = new Map<string, Colleague>();

  private constructor(
    readonly issuer: string,
    readonly key: CryptoKey,
    readonly publicKey: CryptoKey,
    private readonly server: Server,
  ) {}

  /** @param redirectUris of the server under test */
  static async start(redirectUris: readonly string[], changes: Configuration = {}): Promise<CompanyProvider> {
    const issuer = `http://127.0.0.1:${String(await freePort())}`;
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)), kid: 'company', alg: 'ES256', use: 'sig' };
    const server = createServer();
    const company = new CompanyProvider(issuer, privateKey, publicKey, server);
    const library: Library = new Provider(issuer, {
      jwks: { keys: [jwk] },
      clients: [
        {
          client_id: companyClientId,
          client_secret: companySecret,
          redirect_uris: [...redirectUris],
          id_token_signed_response_alg: 'ES256',
        },
      ],
      enabledJWA: { idTokenSigningAlgValues: ['ES256', 'HS256'] },
      scopes: ['openid', 'profile', 'email', 'groups'],
      claims: {
        profile: ['name', 'preferred_username'],
        email: ['email', 'email_verified'],
        groups: ['groups'],
      },
      conformIdTokenClaims: false,
      features: { devInteractions: { enabled: false } },
      cookies: { keys: ['a key of the company in tests'] },
      findAccount: (_ctx, sub) => ({
        accountId: sub,
        claims: () => ({ ...(company.people.get(sub) ?? { sub }) }),
      }),
      interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
      loadExistingGrant: async (ctx) => {
        const { client, session } = ctx.oidc;
        const grant = new library.Grant({ clientId: client?.clientId, accountId: session?.accountId });
        grant.addOIDCScope('openid profile email groups');
        await grant.save();
        return grant;
      },
      ...changes,
    });
    company.serve(library);
    await new Promise<void>((resolve) => {
      server.listen(Number(new URL(issuer).port), '127.0.0.1', resolve);
    });
    return company;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** A token with these claims, signed as the provider signs. */
  sign(claims: JWTPayload, header: Record<string, unknown> = {}, key: CryptoKey | Uint8Array = this.key) {
    return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'company', ...header }).sign(key);
  }

  private serve(library: Library): void {
    library.use(async (ctx, next) => {
      this.requested.push(ctx.path);
      await next();
      if (ctx.path === this.replaced?.path) {
        ctx.status = this.replaced.status ?? 200;
        ctx.body = this.replaced.body;
      }
      const { body } = ctx as { body: { id_token?: string } };
      if (ctx.path !== '/token' || this.forge === undefined || body.id_token === undefined) return;
      const { id_token: genuine, ...rest } = body;
      const forged = await this.forge(decodeJwt(genuine), this);
      ctx.body = forged === undefined ? rest : { ...rest, id_token: forged };
    });
    const answer = library.callback();
    this.server.on('request', (request, response) => {
      if (request.url?.startsWith('/interaction/') !== true) {
        void answer(request, response);
        return;
      }
      const person = this.signedIn;
      if (person !== undefined) this.people.set(person.sub, person);
      const result =
        person === undefined
          ? { error: 'access_denied' }
          : { login: { accountId: person.sub, remember: false } };
      void library.interactionFinished(request, response, result);
    });
  }
}

/** A token that nobody signed. */
export const unsigned = (claims: JWTPayload): string => new UnsecuredJWT(claims).encode();

/** Trusts a provider, whose new people get accounts. */
export const addCompany = (company: Company, name: string, issuer: string): Promise<IdentityProviderRow> =>
  company.do((unit) =>
    addProvider(
      unit,
      {
        ...{ name, label: `The ${name}`, issuer, clientId: companyClientId, clientSecret: companySecret },
        ...{ scopes: ['profile', 'email', 'groups'], groupsClaim: 'groups' },
        ...{ userNameClaim: 'preferred_username', mayCreateUsers: true },
      },
      false,
    ),
  );
