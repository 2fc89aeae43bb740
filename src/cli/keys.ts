import { ConfigError, readConfig } from '../config.js';
import { CommandError } from '../core/command-error.js';
import { systemClock } from '../core/clock.js';
import type { Trail } from '../audit/trail.js';
import { SealedKeys, SigningKeys, type Rotation } from '../oauth/signing/signing-keys.js';
import { change, type AsOption } from '../operator/recorded-change.js';
import { all } from '../store/sql/condition.js';
import { signingKeys } from '../store/tables/signing-keys.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer, columns, paint } from './terminal/output.js';

export interface RotateKeysOptions extends AsOption {
  readonly atOnce?: boolean;
}

/** `behalf keys list` */
export async function list(options: JsonOption): Promise<void> {
  const order = [{ column: 'ordinal', direction: 'asc' }] as const;
  const rows = await withDatabase(({ read }) => read.select(signingKeys, all(), { order }));
  const shown = rows.map(({ kid, createdAt, signsFrom, publishedUntil }) => ({
    ...{ kid, createdAt, signsFrom, publishedUntil },
  }));
  answer(options.json, shown, () =>
    shown.length === 0
      ? ['There are no signing keys.']
      : columns([
          ['kid', 'made', 'signs from', 'published until'],
          ...shown.map((key) => [key.kid, key.createdAt, key.signsFrom, key.publishedUntil ?? '']),
        ]),
  );
}

/** `behalf keys rotate` */
export async function rotate(options: RotateKeysOptions): Promise<void> {
  const { BEHALF_SIGNING_KEY_SECRETS: secrets } = readConfig(process.env);
  if (secrets === undefined)
    throw new CommandError('Signing keys need BEHALF_SIGNING_KEY_SECRETS, as the server has it.');
  const { atOnce = false } = options;
  const event = { command: 'keys rotate', as: options.as, detail: { atOnce } };
  const { made } = await withDatabase((database) =>
    change(database, event, async (deciding) => {
      // Other servers rely on what the keys sign.
      await deciding.require('resource_servers:manage');
      const rotation = await new SigningKeys(database, systemClock, secrets).rotate(deciding.tx, atOnce);
      note(deciding.trail, rotation);
      return rotation;
    }),
  ).catch((error: unknown) => {
    throw error instanceof SealedKeys ? new ConfigError([error.message]) : error;
  });
  const { kid, signsFrom } = made;
  answer(options.json, { kid, signsFrom, atOnce }, () => [
    `${paint('bold', kid)} signs from ${signsFrom} on.`,
    atOnce ? 'Every earlier key is deleted.' : 'Earlier keys are published for a day more.',
  ]);
}

function note(trail: Trail, { made, deleted }: Rotation): void {
  const { type } = signingKeys;
  const { kid, signsFrom } = made;
  trail.changed({ type, id: kid, before: null, after: { kid, signsFrom } });
  for (const gone of deleted) trail.changed({ type, id: gone, before: { kid: gone }, after: null });
}
