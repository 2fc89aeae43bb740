import { join } from 'node:path';
import { systemClock } from '../core/clock.js';
import { makeIds } from '../core/ids.js';
import type { Database } from '../store/sql/database.js';
import { demoAgents } from '../demo/people.js';
import { loadDemoCompany, type LoadedCompany } from '../demo/load-demo-company.js';
import { credentialRules } from './credential-rules.js';
import { progress } from './terminal/output.js';
import { withSecretFiles } from './terminal/secret-file.js';

/** Paths of the demo company's passwords and secrets; only the owner of these files can read them. */
export interface DemoFiles {
  readonly passwords: string;
  /** From an agent's name to its file. */
  readonly secrets: ReadonlyMap<string, string>;
}

export const demoFiles = (folder: string): DemoFiles => ({
  passwords: join(folder, 'first-passwords.txt'),
  secrets: new Map(demoAgents.map(({ name }) => [name, join(folder, 'demo-agents', `${name}.secret`)])),
});

/** Loads the demo company into an empty database, and its secrets into new files below `folder`. */
export async function loadWithSecrets(database: Database, folder: string): Promise<LoadedCompany> {
  const files = demoFiles(folder);
  try {
    return await withSecretFiles([files.passwords, ...files.secrets.values()], (write) =>
      loadDemoCompany(database, {
        clock: systemClock,
        ids: makeIds(systemClock),
        rules: credentialRules(),
        onProgress: (doing) => {
          progress(`Loading the demo company: ${doing}`);
        },
        keep: (company) => {
          write(files.passwords, passwordsText(company));
          for (const agent of company.agents) write(files.secrets.get(agent.name) ?? '', `${agent.secret}\n`);
        },
      }),
    );
  } finally {
    progress('');
  }
}

/** The format that `behalf login --password-file` reads. */
const passwordsText = ({ people }: LoadedCompany): string =>
  [
    '# First passwords of the demo company. The administrator must choose another at the first sign-in.',
    ...people.map(({ name, password }) => `${name}: ${password}`),
    '',
  ].join('\n');
