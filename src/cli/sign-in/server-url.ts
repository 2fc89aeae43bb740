import { readConfig } from '../../config.js';
import { CommandError } from '../../core/command-error.js';

export interface ServerOption {
  readonly server?: string;
}

export const serverOption = [
  '--server <url>',
  'the server (default: where the settings say that it listens)',
] as const;

/** The server's origin. It gets passwords and tokens, so it needs TLS unless it is this machine. */
export function serverUrl({ server }: ServerOption): string {
  const config = readConfig(process.env);
  const text = server ?? config.publicUrl;
  if (!URL.canParse(text))
    throw new CommandError(`${text} is no URL. Write it as https://behalf.example.com.`);
  const { protocol, origin, hostname } = new URL(text);
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && (isHere || config.BEHALF_ALLOW_HTTP))) return origin;
  throw new CommandError(
    `${origin} would send passwords and tokens in the clear. Use https, or set BEHALF_ALLOW_HTTP=true.`,
  );
}
