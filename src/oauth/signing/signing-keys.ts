import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, SignJWT, type JWK, type JWTPayload } from 'jose';
import { isoTime, type Clock } from '../../core/clock.js';
import { conflict } from '../../core/errors.js';
import { TextSeal } from '../../core/text-seal.js';
import { all, any, compare, eq, isNull, type Condition } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { isDuplicate, type Database } from '../../store/sql/database.js';
import { signingKeys, type SigningKeyRow } from '../../store/tables/signing-keys.js';

export const signingAlgorithm = 'ES256';

/** Verifiers read a new key within this time, and signatures by the old one are of use for a day. */
const publishedBeforeMs = 600_000;
const publishedAfterMs = 86_400_000;

/** A new key, and the ids of those that are gone since. */
export interface Rotation {
  readonly made: SigningKeyRow;
  readonly deleted: readonly string[];
}

/** The settings have no secret that opens the keys. */
export class SealedKeys extends Error {
  override readonly name = 'SealedKeys';

  constructor() {
    super(
      'BEHALF_SIGNING_KEY_SECRETS: no secret of it opens every signing key. Add the earlier secret after a comma, or make a new key with `behalf keys rotate --at-once`.',
    );
  }
}

type Reading = Pick<Database, 'read' | 'transaction'>;

/**
 * The server's own keys, read from the database for each use: what one replica or a command changes, all others see at
 * once. Private keys are sealed there by secrets of the settings.
 */
export class SigningKeys {
  private readonly seal: TextSeal;

  /** @param secrets the first one seals; all of them open */
  constructor(
    private readonly database: Reading,
    private readonly clock: Clock,
    secrets: readonly string[],
  ) {
    this.seal = new TextSeal(secrets);
  }

  /** Makes the first key where there is none. Throws `SealedKeys` where one that signs now or later cannot be opened. */
  async ensure(): Promise<void> {
    const made = this.database.transaction(async (tx) => {
      if ((await tx.select(signingKeys, all())).length === 0) await this.add(tx, 1, this.clock.now());
    });
    await made.catch((error: unknown) => {
      if (!isDuplicate(error)) throw error;
    });
    await this.openAll(this.database.read);
  }

  /** The public keys, those that will sign soon and those that signed lately included (RFC 7517 section 5). */
  async published(): Promise<{ keys: JWK[] }> {
    const rows = await this.database.read.select(signingKeys, this.isPublished());
    return { keys: rows.map(({ publicKey }) => publicKey as JWK) };
  }

  async sign(claims: JWTPayload, typ: string): Promise<string> {
    const [row] = await this.signing(this.database.read);
    return new SignJWT(claims)
      .setProtectedHeader({ alg: signingAlgorithm, kid: row.kid, typ })
      .setIssuedAt(Math.floor(this.clock.now() / 1000))
      .sign(this.open(row));
  }

  /**
   * Makes a new key, through `tx` alone. It signs ten minutes from now, and the one before is published for a day more.
   * At once, or where it is the first: it signs now, and every other key is deleted. Keys that are published no longer are
   * deleted in any case. Throws `SealedKeys` where servers with the same secrets could not sign until then.
   */
  async rotate(tx: Connection, isAtOnce: boolean): Promise<Rotation> {
    const now = this.clock.now();
    const rows = await tx.select(signingKeys, all(), { lock: 'update' });
    const isNow = isAtOnce || rows.length === 0;
    if (!isNow) await this.openAll(tx);
    const signsFrom = isNow ? now : now + publishedBeforeMs;
    const until = isoTime(signsFrom + publishedAfterMs);
    const deleted: string[] = [];
    for (const { ordinal, kid, publishedUntil } of rows) {
      const which = eq<SigningKeyRow>('ordinal', ordinal);
      const isOver = publishedUntil !== null && publishedUntil <= isoTime(now);
      if (isNow || isOver) {
        await tx.delete(signingKeys, which);
        deleted.push(kid);
      } else if (publishedUntil === null || publishedUntil > until)
        await tx.update(signingKeys, which, { publishedUntil: until });
    }
    const ordinal = Math.max(0, ...rows.map((row) => row.ordinal)) + 1;
    const made = await this.add(tx, ordinal, signsFrom).catch((error: unknown) => {
      throw isDuplicate(error) ? conflict('Somebody else made a key at this moment: look at it.') : error;
    });
    return { made, deleted };
  }

  private async add(tx: Connection, ordinal: number, signsFrom: number): Promise<SigningKeyRow> {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = publicKey.export({ format: 'jwk' }) as JWK;
    const kid = await calculateJwkThumbprint(jwk);
    const row: SigningKeyRow = {
      ...{ ordinal, kid },
      publicKey: { ...jwk, kid, alg: signingAlgorithm, use: 'sig' },
      sealedKey: this.seal.seal(contextOf(kid), JSON.stringify(privateKey.export({ format: 'jwk' }))),
      createdAt: isoTime(this.clock.now()),
      signsFrom: isoTime(signsFrom),
      publishedUntil: null,
    };
    await tx.insert(signingKeys, [row]);
    return row;
  }

  private async openAll(connection: Connection): Promise<void> {
    for (const row of await this.signing(connection)) this.open(row);
  }

  /**
   * The latest key that has begun, and those that will begin. Where none has begun, all: the clock of the process that made
   * the first may be ahead.
   */
  private async signing(connection: Connection): Promise<[SigningKeyRow, ...SigningKeyRow[]]> {
    const now = isoTime(this.clock.now());
    const rows = await connection.select(signingKeys, this.isPublished(), {
      order: [{ column: 'ordinal', direction: 'asc' }],
    });
    const begun = rows.findLastIndex(({ signsFrom }) => signsFrom <= now);
    const [first, ...later] = rows.slice(Math.max(0, begun));
    if (first === undefined)
      throw new Error('There is no signing key: start the server, or run `behalf keys rotate`.');
    return [first, ...later];
  }

  private isPublished(): Condition<SigningKeyRow> {
    return any(isNull('publishedUntil'), compare('publishedUntil', '>', isoTime(this.clock.now())));
  }

  private open({ kid, sealedKey }: SigningKeyRow) {
    const text = this.seal.open(contextOf(kid), sealedKey);
    if (text === undefined) throw new SealedKeys();
    return createPrivateKey({ format: 'jwk', key: JSON.parse(text) as JsonWebKey });
  }
}

/** A key opens only under its own name. */
const contextOf = (kid: string): string => JSON.stringify(['signing key', kid]);

type JsonWebKey = Parameters<typeof createPrivateKey>[0] extends infer Input
  ? Extract<Input, { format: 'jwk' }> extends { key: infer Key }
    ? Key
    : never
  : never;
