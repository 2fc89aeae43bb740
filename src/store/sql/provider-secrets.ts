import { TextSeal } from '../../core/text-seal.js';
import type { Connection } from './connection.js';
import { ServerKeys } from './server-keys.js';

/** Seals the client secrets of identity providers. A secret opens only in the entry for which it was sealed. */
export class ProviderSecrets {
  private constructor(private readonly sealer: TextSeal) {}

  static async of(connection: Connection): Promise<ProviderSecrets> {
    return new ProviderSecrets(new TextSeal([(await ServerKeys.read(connection)).providers]));
  }

  seal(providerId: string, secret: string): string {
    return this.sealer.seal(contextOf(providerId), secret);
  }

  open(providerId: string, sealed: string): string {
    const secret = this.sealer.open(contextOf(providerId), sealed);
    if (secret !== undefined) return secret;
    throw new Error('The client secret of a provider was sealed with another key: add the provider again.');
  }
}

const contextOf = (providerId: string): string => JSON.stringify(['provider secret', providerId]);
