import { removeTransmitter, setTransmitter } from '../admin/signal-transmitters.js';
import { readConfig } from '../config.js';
import { CommandError } from '../core/command-error.js';
import { paths } from '../oauth/contract/paths.js';
import { findProvider } from '../operator/find-by-name.js';
import { change, type AsOption } from '../operator/recorded-change.js';
import { withDatabase } from './operator/with-database.js';
import { answer, paint } from './terminal/output.js';
import { lineOf } from './terminal/secret-line.js';

export interface SignalsOptions extends AsOption {
  readonly issuer?: string;
  readonly audience?: string;
  readonly keys?: string;
  readonly authorizationFile?: string;
  readonly off?: boolean;
}

/** `behalf provider signals` */
export async function signals(name: string, options: SignalsOptions): Promise<void> {
  const { issuer, audience, keys: keysUri, authorizationFile, off = false } = options;
  if (audience === undefined && !off)
    throw new CommandError(
      'Name the audience of the tokens with --audience, or take none any more with --off.',
    );
  const config = readConfig(process.env);
  const file = authorizationFile;
  const authorization = file === undefined ? undefined : lineOf('Authorization header', file);
  const detail = { provider: name, issuer, audience, keys: keysUri, off };
  await withDatabase((database) =>
    change(database, { command: 'provider signals', as: options.as, detail }, async (deciding) => {
      await deciding.require('users:manage');
      const provider = await findProvider(deciding.tx, name);
      if (audience === undefined || off) return removeTransmitter(deciding, provider);
      const input = { issuer, audience, keysUri, authorization };
      return setTransmitter(deciding, provider, input, config.BEHALF_ALLOW_HTTP);
    }),
  );
  const endpoint = `${config.publicUrl}${paths.securityEvents}`;
  answer(options.json, { name, signals: !off, ...(off ? {} : { endpoint, audience }) }, () =>
    off
      ? `Security events about people of ${paint('bold', name)} are refused.`
      : `Let ${paint('bold', name)} push its security events (RFC 8935) to ${endpoint}.`,
  );
}
