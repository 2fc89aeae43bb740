import { requireOverlap, rotateSecret } from '../admin/agents.js';
import type { Beyond } from '../admin/credentials.js';
import { credentialRules } from './credential-rules.js';
import { agreedEnds, changeCredentials, linesOf, type CredentialsOptions } from './new-credentials.js';
import { answer, paint } from './terminal/output.js';
import { handingOver } from './terminal/secret-file.js';

export interface RotateOptions extends CredentialsOptions {
  readonly overlap: number;
  readonly secretFile?: string;
}

/** `behalf agent rotate-secret` */
export async function rotateAgentSecret(name: string, options: RotateOptions): Promise<void> {
  const { overlap, json } = options;
  requireOverlap(overlap);
  const requireAgreed = await agreedEnds(name, options);
  if (requireAgreed === undefined) return;
  let ended: readonly Beyond[] = [];
  const event = { command: 'agent rotate-secret', name, as: options.as, requireAgreed };
  const handed = await handingOver('secret', options.secretFile, (keep) =>
    changeCredentials(event, async (deciding, agent) => {
      const made = await rotateSecret(deciding, deciding.by.id, agent, overlap, credentialRules());
      ({ ended } = made);
      keep(made.secret);
      return made;
    }),
  );
  const until = overlap === 0 ? 'no longer work' : `work ${String(overlap)} seconds longer`;
  answer(json, { name, overlapSeconds: overlap, ended, ...handed.json }, () => [
    `${paint('bold', name)} has a new secret; earlier ones ${until}.`,
    ...linesOf(ended, 'ended'),
    handed.text,
  ]);
}
