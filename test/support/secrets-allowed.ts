import type { CredentialRules } from '../../src/admin/agents.js';

/** The settings about credentials as they are by default. */
export const secretsAllowed: CredentialRules = { allowHttp: false, staticSecrets: true };
