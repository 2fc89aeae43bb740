import { byCertificate, setCredentials } from '../admin/agents.js';
import type { CertificateNameInput } from '../admin/certificates.js';
import type { Beyond } from '../admin/credentials.js';
import { systemClock } from '../core/clock.js';
import { findAgent } from '../operator/find-by-name.js';
import { change } from '../operator/recorded-change.js';
import { confirm, linesOf, look, requireExpected, type CredentialsOptions } from './new-credentials.js';
import { withDatabase } from './operator/with-database.js';
import { answer, paint } from './terminal/output.js';
import { readText } from './terminal/read-text.js';

/** How a client is authenticated over mutual TLS, and what its tokens are bound to. */
export interface CertificateOptions {
  readonly certificates?: string;
  readonly certificateName?: CertificateNameInput;
  readonly tokenBinding?: string;
}

/** The options as input: certificates are read from their file. */
export const certificatesIn = ({
  certificates,
  certificateName,
  tokenBinding,
}: CertificateOptions): CertificateOptions => ({
  ...(certificates !== undefined && { certificates: readText(certificates) }),
  ...(certificateName !== undefined && { certificateName }),
  ...(tokenBinding !== undefined && { tokenBinding }),
});

export interface BindCertificateOptions
  extends CredentialsOptions, Omit<CertificateOptions, 'tokenBinding'> {}

/** `behalf agent bind-certificate` */
export async function bindCertificate(name: string, options: BindCertificateOptions): Promise<void> {
  const { json, dryRun = false, yes = false } = options;
  const { certificates, certificateName } = certificatesIn(options);
  const credentials = byCertificate(certificates, certificateName, systemClock);
  const expected = await withDatabase((database) => look(database, name, options.as));
  if (dryRun) {
    answer(json, { name, dryRun, ended: expected }, () => [
      ...linesOf(expected, 'would end'),
      'This was a dry run: nothing was changed.',
    ]);
    return;
  }
  if (!yes && expected.length > 0) await confirm(expected, json === true);
  const event = { command: 'agent bind-certificate', as: options.as, detail: { agent: name } };
  const ended = await withDatabase((database) =>
    change(database, event, async (deciding): Promise<readonly Beyond[]> => {
      await deciding.require('agents:manage');
      const agent = await findAgent(deciding.tx, name);
      const gone = await setCredentials(deciding, deciding.by.id, agent, credentials);
      if (!yes) requireExpected(gone, expected);
      return gone;
    }),
  );
  answer(json, { name, authMethod: credentials.authMethod, ended }, () => [
    `${paint('bold', name)} is authenticated by its certificate; other credentials of it no longer work.`,
    ...linesOf(ended, 'ended'),
  ]);
}
