import { byCertificate } from '../admin/agents.js';
import type { CertificateNameInput } from '../admin/certificates.js';
import { systemClock } from '../core/clock.js';
import { bindCredentials, linesOf, type CredentialsOptions } from './new-credentials.js';
import { answer, paint } from './terminal/output.js';
import { readText } from './terminal/read-text.js';

/** How a client is authenticated over mutual TLS, and what its tokens are bound to. */
export interface CertificateOptions {
  readonly certificates?: string;
  readonly certificateName?: CertificateNameInput;
  readonly tokenBinding?: string;
}

/** The options as input: certificates are read from their file. */
export const certificateInput = ({
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
  const { certificates, certificateName } = certificateInput(options);
  const credentials = byCertificate(certificates, certificateName, systemClock);
  const binding = { command: 'agent bind-certificate', name, credentialsFor: () => credentials };
  const ended = await bindCredentials(binding, options);
  if (ended === undefined) return;
  answer(options.json, { name, authMethod: credentials.authMethod, ended }, () => [
    `${paint('bold', name)} is authenticated by its certificate; other credentials of it no longer work.`,
    ...linesOf(ended, 'ended'),
  ]);
}
