import { readConfig } from '../config.js';
import { CommandError } from '../core/command-error.js';
import { reportOn } from '../oauth/identity-providers/provider-client.js';
import { findProvider } from '../operator/find-by-name.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean } from './terminal/output.js';

/** `behalf provider test` */
export async function testProvider(name: string, options: JsonOption): Promise<void> {
  const config = readConfig(process.env);
  const provider = await withDatabase((database) => database.transaction((tx) => findProvider(tx, name)));
  const { issuer } = provider;
  const report = await reportOn(provider, { allowHttp: config.BEHALF_ALLOW_HTTP }).catch((error: unknown) => {
    throw new CommandError(`The metadata of ${issuer} cannot be read: ${reasonsOf(error)}.`, {
      cause: error,
    });
  });
  const redirectUri = `${config.publicUrl}/oauth/callback/${name}`;
  answer(options.json, { name, issuer, redirectUri, ...report }, () => [
    report.faults.length === 0
      ? `The metadata of ${issuer} has all that signing in needs.`
      : `Nobody can sign in with ${name}:`,
    ...report.faults.map((fault) => `- ${clean(fault)}`),
    ...report.notes.map((note) => `Note: ${clean(note)}.`),
    `The redirect URI to register there: ${redirectUri}`,
  ]);
  if (report.faults.length > 0) process.exitCode = 1;
}

/** The messages of an error and of its causes: the library puts the reason into the cause. */
function reasonsOf(error: unknown): string {
  const reasons: string[] = [];
  for (let one = error; one instanceof Error && reasons.length < 3; one = one.cause)
    reasons.push(one.message);
  return clean(reasons.join(': '));
}
