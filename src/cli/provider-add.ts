import { addProvider as add } from '../admin/identity-providers.js';
import { readConfig } from '../config.js';
import { change, type AsOption } from '../operator/recorded-change.js';
import { withDatabase } from './operator/with-database.js';
import { answer, paint } from './terminal/output.js';
import { secretLine } from './terminal/secret-line.js';

export interface AddOptions extends AsOption {
  readonly issuer: string;
  readonly clientId: string;
  readonly label?: string;
  readonly secretFile?: string;
  readonly scope: readonly string[];
  readonly groupsClaim: string;
  readonly nameClaim: string;
  readonly createUsers?: boolean;
}

/** `behalf provider add` */
export async function addProvider(name: string, options: AddOptions): Promise<void> {
  const config = readConfig(process.env);
  const { issuer, clientId, label = name, scope, groupsClaim, nameClaim, createUsers = false } = options;
  const event = { command: 'provider add', as: options.as, detail: { provider: name, issuer, createUsers } };
  const clientSecret = await secretLine('Client secret', options.secretFile);
  await withDatabase((database) =>
    change(database, event, async (deciding) => {
      await deciding.require('users:manage');
      const input = { name, label, issuer, clientId, clientSecret, scopes: scope, groupsClaim };
      const more = { userNameClaim: nameClaim, mayCreateUsers: createUsers };
      await add(deciding, { ...input, ...more }, config.BEHALF_ALLOW_HTTP);
    }),
  );
  const redirectUri = `${config.publicUrl}/oauth/callback/${name}`;
  answer(options.json, { name, issuer, redirectUri }, () => [
    `${paint('bold', name)} is trusted: its button is on the sign-in page.`,
    `Register this redirect URI there: ${redirectUri}`,
    `Then try it: \`behalf provider test ${name}\`.`,
  ]);
}
