import { addProvider as add } from '../admin/identity-providers.js';
import { readConfig } from '../config.js';
import { CommandError } from '../core/command-error.js';
import { change, type AsOption } from '../operator/recorded-change.js';
import { withDatabase } from './operator/with-database.js';
import { answer, paint } from './terminal/output.js';
import { Prompt } from './terminal/prompt.js';
import { readText, withoutByteOrderMark } from './terminal/read-text.js';

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
  const clientSecret = await clientSecretOf(options.secretFile);
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

async function clientSecretOf(file: string | undefined): Promise<string> {
  if (file !== undefined) return oneLineOf(readText(file), file);
  const prompt = new Prompt();
  try {
    return await prompt.secret('Client secret: ');
  } finally {
    prompt.close();
  }
}

function oneLineOf(text: string, file: string): string {
  const lines = withoutByteOrderMark(text)
    .split(/\r\n|\n|\r/)
    .filter((line) => line !== '');
  if (lines.length === 1 && lines[0] !== undefined) return lines[0];
  throw new CommandError(`${file} must have the client secret on its only line.`);
}
