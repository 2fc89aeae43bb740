import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from 'jose';
import { z } from 'zod';
import type { Clock } from '../../core/clock.js';
import { Lru } from '../../core/lru.js';
import type { GuardedFetch } from '../../core/outgoing/guarded-fetch.js';
import type { StoredWorkload } from '../../store/tables/identity.js';
import { KeysOutOfReach } from '../foreign-tokens/issuer-keys.js';
import { KeptAnswers } from '../identity-providers/kept-answers.js';
import { isSafeUrl } from '../identity-providers/provider-metadata.js';

const bounds = { bytesMax: 200_000, timeoutMs: 5_000 };
const keptMax = 100;
const keptMs = 300_000;

const metadataShape = z.object({ issuer: z.string(), jwks_uri: z.string() });

/** The public keys of the issuers of workloads: at the address that is bound, or by the issuer's metadata. */
export class WorkloadKeys {
  readonly addresses: KeptAnswers<string>;
  readonly sets = new Lru<string, JWTVerifyGetKey>(keptMax);

  constructor(
    clock: Clock,
    private readonly outgoing: GuardedFetch,
    private readonly allowHttp: boolean,
  ) {
    this.addresses = new KeptAnswers(clock);
  }

  /** Throws `KeysOutOfReach` where the keys cannot be read. */
  of({ issuer, keysUri }: Pick<StoredWorkload, 'issuer' | 'keysUri'>): JWTVerifyGetKey {
    return async (header, token) => {
      try {
        const address = keysUri ?? (await this.addresses.get(issuer, () => this.find(issuer)));
        return await this.at(address)(header, token);
      } catch (error) {
        const isAboutToken =
          error instanceof errors.JWKSNoMatchingKey ||
          error instanceof errors.JWKSMultipleMatchingKeys ||
          error instanceof errors.JOSENotSupported;
        throw isAboutToken ? error : new KeysOutOfReach('no keys', { cause: error });
      }
    };
  }

  private at(address: string): JWTVerifyGetKey {
    const known = this.sets.get(address);
    if (known !== undefined) return known;
    const set = createRemoteJWKSet(new URL(address), {
      timeoutDuration: bounds.timeoutMs,
      cacheMaxAge: keptMs,
      [customFetch]: this.fetch,
    });
    this.sets.set(address, set);
    return set;
  }

  private readonly fetch: FetchImplementation = async (url) => {
    const { status, body } = await this.outgoing.ask(url, bounds);
    return new Response(new Uint8Array(body), { status });
  };

  /** OpenID Connect Discovery section 4, which Kubernetes and GitHub have. */
  private async find(issuer: string): Promise<string> {
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const { status, body } = await this.outgoing.ask(address, bounds);
    if (status !== 200) throw new Error(`its metadata came with the status ${String(status)}`);
    const metadata = metadataShape.parse(JSON.parse(body.toString('utf8')));
    if (metadata.issuer !== issuer) throw new Error('its metadata is that of another issuer');
    if (isSafeUrl(metadata.jwks_uri, this.allowHttp)) return metadata.jwks_uri;
    throw new Error('its metadata has no jwks_uri with https');
  }
}
