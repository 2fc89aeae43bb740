import type { JWTVerifyGetKey } from 'jose';
import type { Configuration } from 'openid-client';
import type { Clock } from '../../core/clock.js';
import { all, eq } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { ProviderSecrets } from '../../store/sql/provider-secrets.js';
import {
  identityProviders,
  signalTransmitters,
  type IdentityProviderRow,
  type SignalTransmitterRow,
} from '../../store/tables/identity-providers.js';
import { KeptAnswers } from './kept-answers.js';
import { KeySets } from './key-sets.js';
import { makeClient } from './provider-client.js';

/** The trusted providers, read from the database each time, and their clients. */
export class KnownProviders {
  readonly kept: KeptAnswers<Configuration>;
  readonly keys = new KeySets();
  private secrets: Promise<ProviderSecrets> | undefined;

  constructor(
    private readonly database: Database,
    clock: Clock,
    private readonly allowHttp: boolean,
  ) {
    this.kept = new KeptAnswers(clock);
  }

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

  /** Who sends security events with this issuer, and about people of which provider. */
  async transmitterOf(
    issuer: string,
  ): Promise<
    { readonly provider: IdentityProviderRow; readonly transmitter: SignalTransmitterRow } | undefined
  > {
    const isTheirs = eq<SignalTransmitterRow>('issuer', issuer);
    const transmitter = await this.database.read.one(signalTransmitters, isTheirs);
    const provider = transmitter === undefined ? undefined : await this.byId(transmitter.providerId);
    return transmitter === undefined || provider === undefined ? undefined : { provider, transmitter };
  }

  async keysOf(provider: IdentityProviderRow): Promise<JWTVerifyGetKey> {
    const { jwks_uri: uri = '' } = (await this.clientOf(provider)).serverMetadata();
    return this.keys.at(uri);
  }

  /** Rejects where the provider is out of reach, or its metadata does not fit, and then for some seconds. */
  clientOf(provider: IdentityProviderRow): Promise<Configuration> {
    return this.kept.get(`${provider.id}:${String(provider.version)}`, () => this.make(provider));
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
