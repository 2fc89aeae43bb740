import { conflict } from '../core/errors.js';
import { demoFiles, loadWithSecrets } from './demo-company.js';
import { withDatabase } from './operator/with-database.js';
import { isEmpty } from '../demo/load-demo-company.js';
import { demoCompanyName } from '../demo/people.js';
import type { JsonOption } from './terminal/command.js';
import { answer, columns } from './terminal/output.js';

export interface SeedOptions extends JsonOption {
  readonly secretsFolder: string;
}

/** `behalf seed` */
export async function seed({ json, secretsFolder }: SeedOptions): Promise<void> {
  const files = demoFiles(secretsFolder);
  const company = await withDatabase(async (database) => {
    // Before any file is made.
    if (!(await isEmpty(database.read))) {
      throw conflict('The database is not empty, and the demo company goes only into an empty one.');
    }
    return loadWithSecrets(database, secretsFolder);
  });
  const told = { company: demoCompanyName, rows: company.counts, passwords: files.passwords };
  answer(json, { ...told, secrets: Object.fromEntries(files.secrets) }, () => [
    `${demoCompanyName} is loaded:`,
    ...columns(Object.entries(company.counts).map(([name, count]) => [`  ${name}`, String(count)])),
    `Passwords of its people: ${files.passwords}`,
    `Secrets of its agents:   ${[...files.secrets.values()][0]?.replace(/[^/\\]+$/, '') ?? ''}`,
  ]);
}
