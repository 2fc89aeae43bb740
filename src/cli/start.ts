import { existsSync } from 'node:fs';
import { readConfig, settings, statementLimits, type Config } from '../config.js';
import { describeDatabase } from '../core/database-url.js';
import { accountPaths, paths } from '../oauth/contract/paths.js';
import { demoFiles, loadWithSecrets } from './demo-company.js';
import { openMigrated } from './migrate.js';
import { openDatabase } from './operator/open-database.js';
import { isEmpty } from '../demo/load-demo-company.js';
import { demoAdministrator, demoCompanyName } from '../demo/people.js';
import type { JsonOption } from './terminal/command.js';
import { columns, paint, print } from './terminal/output.js';

export interface StartOptions extends JsonOption {
  readonly demo?: boolean;
}

const demoFolder = 'data';
const defaultDatabase = settings.DATABASE_URL.parse(undefined);

/** `behalf start` */
export async function start({ demo = false, json = false }: StartOptions): Promise<void> {
  if (process.env.npm_lifecycle_event !== undefined) endWithParent();
  const config = withDemo(readConfig(process.env), demo);
  if (demo) await prepareDemo(config);
  // Here faults of the database are reported in one sentence each.
  const database = await openDatabase(config, 'migrated', statementLimits(config));
  // Loaded here, so that other commands do not load the server.
  const { serve } = await import('../main.js');
  const onListening = (url: string): void => {
    const places = placesOf(config, url, demo);
    print(json ? JSON.stringify(places) : welcome(places, demo).join('\n'));
  };
  await serve(config, onListening, database);
}

/** The explorer and unknown clients are on with the demo company, where the settings do not say otherwise. */
function withDemo(config: Config, given: boolean): Config {
  const demo = given && config.DATABASE_URL === defaultDatabase;
  return {
    ...config,
    explorer: config.BEHALF_EXPLORER ?? demo,
    clientDocuments: config.BEHALF_CLIENT_METADATA_DOCUMENTS ?? demo,
    clientRegistration: config.BEHALF_CLIENT_REGISTRATION ?? demo,
  };
}

/**
 * npm ends the shell of a script, but the shell does not end its child. A process whose shell is gone was asked to end.
 */
function endWithParent(): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}

/** Migrates, and loads the demo company into the default database only. */
async function prepareDemo(config: Config): Promise<void> {
  const database = await openMigrated(config);
  try {
    const isOurs = config.DATABASE_URL === defaultDatabase;
    if (isOurs && (await isEmpty(database.read))) await loadWithSecrets(database, demoFolder);
  } finally {
    await database.close();
  }
}

interface Places {
  readonly url: string;
  readonly graphql: string;
  readonly oauth: string;
  /** For browsers: a person's own page. */
  readonly account: string;
  /** For browsers; only where it is on. */
  readonly explorer?: string;
  readonly database: string;
  /** Only with the demo company. */
  readonly passwords?: string;
}

function placesOf(config: Config, url: string, demo: boolean): Places {
  const { passwords } = demoFiles(demoFolder);
  const hasCompany = demo && config.DATABASE_URL === defaultDatabase && existsSync(passwords);
  return {
    url,
    graphql: `${config.publicUrl}/graphql`,
    oauth: `${config.publicUrl}${paths.metadata}`,
    account: `${config.publicUrl}${accountPaths.home}`,
    ...(config.explorer && { explorer: `${config.publicUrl}/graphql` }),
    database: describeDatabase(config.database),
    ...(hasCompany && { passwords }),
  };
}

function welcome(places: Places, demo: boolean): string[] {
  const { url, graphql, oauth, account, explorer, database, passwords } = places;
  const what =
    passwords === undefined ? 'Behalf serves' : `Behalf serves ${demoCompanyName}, a demo company,`;
  const lines = [
    ['  GraphQL', explorer === undefined ? graphql : `${graphql} (in a browser: the explorer)`],
    ['  Your account', `${account} (in a browser)`],
    ['  OAuth metadata', oauth],
    ['  Database', database],
    ...(passwords === undefined
      ? []
      : [['  Passwords', `${passwords} (administrator: ${demoAdministrator.name})`]]),
  ];
  const head = [`${paint('bold', what)} at ${paint('cyan', url)}`, ...columns(lines)];
  if (passwords !== undefined)
    return [...head, '', 'Try it in another terminal, in this folder:', tryIt(places)];
  return demo
    ? [...head, `The demo company was not loaded: it goes only into an empty ${defaultDatabase}.`]
    : head;
}

/** Commands that sign a demo person in and list the newest tickets. */
function tryIt({ graphql, url, passwords = '' }: Places): string {
  const query = '{ viewer { person { displayName } } tickets(first: 3) { nodes { number subject } } }';
  return [
    `  npx behalf login --server ${url} --user rosa.lind --password-file ${passwords} &&`,
    `  curl -s ${graphql} -H 'content-type: application/json' \\`,
    `    -H "authorization: Bearer $(npx behalf token --server ${url})" -d '{"query":"${query}"}'`,
  ].join('\n');
}
