import type { CredentialRules } from '../admin/agents.js';
import { readConfig } from '../config.js';

/** What the settings of this command say of credentials. */
export function credentialRules(): CredentialRules {
  const { BEHALF_ALLOW_HTTP: allowHttp, BEHALF_STATIC_SECRETS: staticSecrets } = readConfig(process.env);
  return { allowHttp, staticSecrets: staticSecrets === 'on' };
}
