import type { CredentialRules } from '../admin/agents.js';
import { readConfig } from '../config.js';

/** The settings about credentials, for a command. */
export function credentialRules(): CredentialRules {
  const { BEHALF_ALLOW_HTTP: allowHttp, BEHALF_STATIC_SECRETS: staticSecrets } = readConfig(process.env);
  return { allowHttp, staticSecrets: staticSecrets === 'on' };
}
