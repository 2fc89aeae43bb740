import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import { Lru } from '../../core/lru.js';

const keptMax = 100;

/** The public keys at addresses of other servers. They are read again after 5 minutes, and when a new one appears. */
export class KeySets {
  readonly lines = new Lru<string, JWTVerifyGetKey>(keptMax);

  at(address: string): JWTVerifyGetKey {
    const known = this.lines.get(address);
    if (known !== undefined) return known;
    const keys = createRemoteJWKSet(new URL(address), { timeoutDuration: 5_000, cacheMaxAge: 300_000 });
    this.lines.set(address, keys);
    return keys;
  }
}
