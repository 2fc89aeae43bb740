import type { Command } from 'commander';
import { readConfig, settings, type Config } from '../config.js';
import { parseDatabaseUrl } from '../core/database-url.js';
import { serve } from '../main.js';
import { paths } from '../oauth/paths.js';
import { demoAdministratorName, demoFiles, loadWithSecrets } from './demo-company.js';
import { openMigrated } from './migrate.js';
import { isEmpty } from './seed/load.js';
import { demoCompanyName } from './seed/people.js';
import { command, type JsonOption } from './terminal/command.js';
import { columns, paint, print } from './terminal/output.js';

interface StartOptions extends JsonOption {
  readonly demo?: boolean;
}

const demoFolder = 'data';
const defaultDatabase = settings.DATABASE_URL.parse(undefined);

export const startCommand = (): Command =>
  command('start', 'serve until a signal asks for the end', '', '--json')
    .option('--demo', `migrate first, and load the demo company into an empty ${defaultDatabase}`)
    .action(start);

async function start(options: StartOptions): Promise<void> {
  const config = readConfig(process.env);
  const isLoaded = options.demo === true && (await prepareDemo(config));
  await serve(config, (url) => {
    if (options.json === true) print(JSON.stringify(placesOf(config, url, isLoaded)));
    else print(welcome(config, url, options.demo === true).join('\n'));
  });
}

/** Never touches another database than the default, but for migrations. True where the company was loaded. */
async function prepareDemo(config: Config): Promise<boolean> {
  const database = await openMigrated(config);
  try {
    if (config.DATABASE_URL !== defaultDatabase || !(await isEmpty(database.read))) return false;
    await loadWithSecrets(database, demoFolder);
    return true;
  } finally {
    await database.close();
  }
}

interface Places {
  readonly url: string;
  readonly graphql: string;
  readonly oauth: string;
  readonly database: string;
  readonly passwords?: string;
}

const placesOf = (config: Config, url: string, hasPasswords: boolean): Places => ({
  url,
  graphql: `${config.publicUrl}/graphql`,
  oauth: `${config.publicUrl}${paths.metadata}`,
  database: databaseName(config),
  ...(hasPasswords && { passwords: demoFiles(demoFolder).passwords }),
});

/** The URL without user and password. */
function databaseName(config: Config): string {
  const target = parseDatabaseUrl(config.DATABASE_URL);
  if (target?.dialect !== 'mysql') return config.DATABASE_URL;
  const { host, pathname } = new URL(target.url);
  return `mysql://${host}${pathname}`;
}

function welcome(config: Config, url: string, demo: boolean): string[] {
  const hasDemo = demo && config.DATABASE_URL === defaultDatabase;
  const places = placesOf(config, url, hasDemo);
  const lines = columns([
    ['  GraphQL', places.graphql],
    ['  OAuth metadata', places.oauth],
    ['  Database', places.database],
    ...(places.passwords === undefined
      ? []
      : [['  Passwords', `${places.passwords} (administrator: ${demoAdministratorName})`]]),
  ]);
  const head = `${paint('bold', 'Behalf')} serves ${hasDemo ? `${demoCompanyName}, a demo company,` : ''} at ${paint('cyan', url)}`;
  return [
    head.replace('  ', ' '),
    ...lines,
    ...(hasDemo ? ['', 'Try it in another terminal:', tryIt(places)] : []),
  ];
}

/** Signs a demo person in and asks for the newest tickets. */
function tryIt({ graphql, url, passwords = '' }: Places): string {
  const query = '{ viewer { person { displayName } } tickets(first: 3) { nodes { number subject } } }';
  return [
    `  npx behalf login --server ${url} --user rosa.lind --password-file ${passwords} &&`,
    `  curl -s ${graphql} -H 'content-type: application/json' \\`,
    `    -H "authorization: Bearer $(npx behalf token --server ${url})" -d '{"query":"${query}"}'`,
  ].join('\n');
}
