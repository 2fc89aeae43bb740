import { join } from 'node:path';
import { systemClock } from '../core/clock.js';
import { makeIds } from '../core/ids.js';
import type { Database } from '../store/sql/database.js';
import { demoAgents } from '../demo/people.js';
import { loadDemoCompany, type LoadedCompany } from '../demo/load.js';
import { progress } from './terminal/output.js';
import { withSecretFiles } from './terminal/secret-file.js';

/** Where the demo company's passwords and secrets are, each in a file that only its owner can read. */
export interface DemoFiles {
  readonly passwords: string;
  /** Agent's name to file. */
  readonly secrets: ReadonlyMap<string, string>;
}

export const demoFiles = (folder: string): DemoFiles => ({
  passwords: join(folder, 'first-passwords.txt'),
  secrets: new Map(demoAgents.map(({ name }) => [name, join(folder, 'demo-agents', `${name}.secret`)])),
});

/** Loads the demo company into an empty database, its secrets into new files below `folder`. */
export async function loadWithSecrets(database: Database, folder: string): Promise<LoadedCompany> {
  const files = demoFiles(folder);
  try {
    return await withSecretFiles([files.passwords, ...files.secrets.values()], (write) =>
      loadDemoCompany(database, {
        clock: systemClock,
        ids: makeIds(systemClock),
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

/** `behalf login --password-file` finds a person's line by the name. */
const passwordsText = ({ people }: LoadedCompany): string =>
  [
    '# First passwords of the demo company. The administrator must choose another at the first sign-in.',
    ...people.map(({ name, password }) => `${name}: ${password}`),
    '',
  ].join('\n');
