import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import type { Configuration } from 'openid-client';
import type { Clock } from '../../core/clock.js';
import { Lru } from '../../core/lru.js';
import { all, eq } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { ProviderSecrets } from '../../store/sql/provider-secrets.js';
import { identityProviders, type IdentityProviderRow } from '../../store/tables/identity-providers.js';
import { makeClient } from './provider-client.js';

interface Kept {
  readonly until: number;
  readonly client: Promise<Configuration>;
}

/** How long a provider's metadata is kept. */
const keptMs = 600_000;
/** How long a failure is kept, so that requests of browsers do not become as many requests to the provider. */
const failureKeptMs = 10_000;
const keptMax = 100;

/** The trusted providers, read from the database each time, and their clients. */
export class KnownProviders {
  readonly kept = new Lru<string, Kept>(keptMax);
  readonly keys = new Lru<string, JWTVerifyGetKey>(keptMax);
  private secrets: Promise<ProviderSecrets> | undefined;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly allowHttp: boolean,
  ) {}

  list(): Promise<IdentityProviderRow[]> {
    const order = [
      { column: 'label', direction: 'asc' } as const,
      { column: 'name', direction: 'asc' } as const,
    ];
    return this.database.read.select(identityProviders, all(), { order });
  }

  named(name: string): Promise<IdentityProviderRow | undefined> {
    return this.database.read.one(identityProviders, eq<IdentityProviderRow>('name', name));
  }

  byId(id: string): Promise<IdentityProviderRow | undefined> {
    return this.database.read.byId(identityProviders, id);
  }

  byIssuer(issuer: string): Promise<IdentityProviderRow | undefined> {
    return this.database.read.one(identityProviders, eq<IdentityProviderRow>('issuer', issuer));
  }

  /** The provider's public keys. They are read again after 5 minutes, and when a new one appears. */
  async keysOf(provider: IdentityProviderRow): Promise<JWTVerifyGetKey> {
    const { jwks_uri: uri = '' } = (await this.clientOf(provider)).serverMetadata();
    const known = this.keys.get(uri);
    if (known !== undefined) return known;
    const keys = createRemoteJWKSet(new URL(uri), { timeoutDuration: 5_000, cacheMaxAge: 300_000 });
    this.keys.set(uri, keys);
    return keys;
  }

  /** Rejects where the provider is out of reach, or its metadata does not fit, and then for some seconds. */
  clientOf(provider: IdentityProviderRow): Promise<Configuration> {
    const key = `${provider.id}:${String(provider.version)}`;
    const kept = this.kept.get(key);
    if (kept !== undefined && kept.until > this.clock.now()) return kept.client;
    const client = this.make(provider);
    const entry = { until: this.clock.now() + keptMs, client };
    this.kept.set(key, entry);
    client.catch(() => {
      const until = this.clock.now() + failureKeptMs;
      if (this.kept.get(key) === entry) this.kept.set(key, { until, client });
    });
    return client;
  }

  private async make(provider: IdentityProviderRow): Promise<Configuration> {
    this.secrets ??= ProviderSecrets.of(this.database.read);
    const secrets = await this.secrets.catch((error: unknown) => {
      this.secrets = undefined;
      throw error;
    });
    const { allowHttp } = this;
    return makeClient(provider, secrets.open(provider.id, provider.clientSecret), { allowHttp });
  }
}
