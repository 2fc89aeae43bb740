import { errors, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../../core/clock.js';
import { KeptAnswers } from '../identity-providers/kept-answers.js';
import { KeySets } from '../identity-providers/key-sets.js';
import { findKeys } from '../identity-providers/provider-client.js';
import type { TokenIssuerRow } from '../../store/tables/token-issuers.js';

/** The issuer's keys cannot be read now. That is not the client's fault. */
export class KeysOutOfReach extends Error {
  override readonly name = 'KeysOutOfReach';
}

/** The public keys of trusted issuers, each found by the issuer's own metadata. */
export class IssuerKeys {
  readonly addresses: KeptAnswers<string>;
  readonly keys = new KeySets();

  constructor(
    clock: Clock,
    private readonly allowHttp: boolean,
  ) {
    this.addresses = new KeptAnswers(clock);
  }

  /** The keys of this issuer alone. Throws `KeysOutOfReach` where they cannot be read. */
  of({ id, version, issuer }: Pick<TokenIssuerRow, 'id' | 'version' | 'issuer'>): JWTVerifyGetKey {
    return async (header, token) => {
      const address = await this.addresses
        .get(`${id}:${String(version)}`, () => findKeys(issuer, { allowHttp: this.allowHttp }))
        .catch(outOfReach);
      const keys = this.keys.at(address);
      return Promise.resolve(keys(header, token)).catch((error: unknown) => {
        throw isAboutToken(error) ? error : new KeysOutOfReach('no keys', { cause: error });
      });
    };
  }
}

const outOfReach = (error: unknown): never => {
  throw new KeysOutOfReach('no metadata', { cause: error });
};

/** Whether the keys were there, and the token fits none of them. */
const isAboutToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;
