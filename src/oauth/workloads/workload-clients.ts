import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import type { Clock } from '../../core/clock.js';
import { all, eq } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { agents, type AgentRow } from '../../store/tables/identity.js';
import { KeysOutOfReach } from '../foreign-tokens/issuer-keys.js';
import { RefusedToken } from '../foreign-tokens/refused-token.js';
import { describable } from '../library/oauth-errors.js';
import { firstUse } from '../library/first-use.js';
import { checkAssertion, unproven, type AssertionParts } from './workload-assertion.js';

export const workloadAuthMethod = 'workload_jwt';
const bearerType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** draft-ietf-oauth-spiffe-client-auth */
const spiffeType = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe';

interface WorkloadParts extends AssertionParts {
  readonly database: Database;
  readonly clock: Clock;
  /** The issuer of this server. */
  readonly issuer: string;
}

/** A workload's assertion, translated for the library. */
export interface Translated {
  readonly form: Buffer;
  /** For the record; undefined where the form has no such assertion. */
  readonly detail?: string;
  /** Why the assertion is refused, for its client. */
  readonly refusal?: string;
}

/**
 * Agents that are authenticated by their platform's JWTs. The library knows one kind of assertion: the client is its issuer
 * and its subject (RFC 7523 section 3). So a workload's JWT is checked here, and the library gets an assertion of the agent
 * in its place. The key that signs it was made at the start of this process, and never leaves it.
 */
export class WorkloadClients {
  private readonly key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** The keys of every such agent for the library in this process. */
  readonly jwks = {
    keys: [
      { ...(this.key.publicKey.export({ format: 'jwk' }) as { kty: string }), alg: 'ES256', use: 'sig' },
    ],
  };

  constructor(private readonly parts: WorkloadParts) {}

  /** The form for the library. A form without a workload's assertion stays as it is. */
  async translate(form: Buffer): Promise<Translated> {
    const fields = new URLSearchParams(form.toString('utf8'));
    const assertion = assertionIn(fields);
    if (assertion === undefined) return { form };
    const note = { claimed: '' };
    const clientId = fields.get('client_id') ?? '';
    try {
      await this.check(clientId, assertion, (claimed) => {
        note.claimed = claimed;
      });
      return { form: withAssertion(fields, await this.sign(clientId)), detail: `workload: ${note.claimed}` };
    } catch (error) {
      const isUnread = error instanceof KeysOutOfReach;
      if (!(error instanceof RefusedToken) && !isUnread) throw error;
      const cause = isUnread ? 'the keys of the issuer cannot be read' : error.cause;
      const reason = isUnread ? unproven : error.message;
      return {
        form: withAssertion(fields, unsigned(clientId)),
        detail: `${reason}${typeof cause === 'string' ? ` (${cause})` : ''} | workload: ${note.claimed}`,
        refusal: describable(reason),
      };
    }
  }

  private async check(clientId: string, assertion: string, told: (claimed: string) => void): Promise<void> {
    const { database, clock } = this.parts;
    if (clientId === '') throw new RefusedToken('name the agent: send its name as client_id');
    const isAgent = all(
      eq<AgentRow>('name', clientId),
      eq('status', 'active'),
      eq('authMethod', workloadAuthMethod),
    );
    const agent = clientId.length > 100 ? undefined : await database.read.one(agents, isAgent);
    const use = await checkAssertion(assertion, agent, clock.now(), this.parts, told);
    const { useId, issuer, expiresAtSeconds } = use;
    if (useId === undefined) return;
    if (!(await firstUse({ database, clock }, `workload ${issuer}`, useId, expiresAtSeconds)))
      throw new RefusedToken('the assertion was used before: get a new one for each request');
  }

  /** An assertion of the agent as the library expects it. */
  private sign(clientId: string): Promise<string> {
    return new SignJWT({ iss: clientId, sub: clientId, aud: this.parts.issuer, jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime(Math.floor(this.parts.clock.now() / 1000) + 60)
      .sign(this.key.privateKey);
  }
}

/** The assertion, where it is that of a workload. The library refuses repeated fields. */
function assertionIn(fields: URLSearchParams): string | undefined {
  const [assertion, ...others] = fields.getAll('client_assertion');
  const [type, ...otherTypes] = fields.getAll('client_assertion_type');
  const isRepeated = others.length + otherTypes.length > 0 || fields.getAll('client_id').length > 1;
  if (assertion === undefined || isRepeated) return undefined;
  if (type === spiffeType) return assertion;
  return type === bearerType && isOfOther(assertion) ? assertion : undefined;
}

/** Whether its issuer is not its subject, as in an agent's own assertion. */
function isOfOther(assertion: string): boolean {
  try {
    const { iss, sub } = decodeJwt(assertion);
    return iss !== sub;
  } catch {
    return false;
  }
}

function withAssertion(fields: URLSearchParams, assertion: string): Buffer {
  fields.set('client_assertion_type', bearerType);
  fields.set('client_assertion', assertion);
  return Buffer.from(fields.toString());
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An assertion that the library refuses: without a signature and without an end. */
const unsigned = (clientId: string): string =>
  `${encoded({ alg: 'ES256' })}.${encoded({ iss: clientId, sub: clientId === '' ? '-' : clientId })}.`;
