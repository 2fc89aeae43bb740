import type { Command } from 'commander';
import { documentHistory, activeDocuments } from '../admin/trusted-documents.js';
import { systemClock } from '../core/clock.js';
import { makeIds } from '../core/ids.js';
import { unregisteredUses, type UnregisteredUses } from './documents-report.js';
import { syncDocuments, type SyncReport } from './documents-sync.js';
import { ImportRefused } from '../import/import-faults.js';
import { eq } from '../store/sql/condition.js';
import { roles, type RoleRow } from '../store/tables/identity.js';
import { withDatabase } from './operator/with-database.js';
import { isIn } from '../store/sql/condition.js';
import { users, type UserRow } from '../store/tables/identity.js';
import { command, group, type JsonOption } from './terminal/command.js';
import { CommandError } from '../core/command-error.js';
import { sinceOption } from './terminal/options.js';
import { answer, clean, columns, print, progress } from './terminal/output.js';

interface SyncOptions extends JsonOption {
  readonly as?: string;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
}
interface ReportOptions extends JsonOption {
  readonly role?: string;
  readonly since?: string;
}

const about = `
A document's name is that of its operation. Its hash is taken of the file's exact bytes, so clients must send, or
hash, exactly those. All files are registered together, or none. On SQLite a server on the same database cannot write
meanwhile.`;

/** `behalf documents` */
export const documentsCommand = (): Command =>
  group(
    'documents',
    'registered operations, which roles can be bound to',
    command(
      'documents sync',
      'register every *.graphql file below a folder',
      './operations --as admin',
      './operations --prune --dry-run',
    )
      .argument('<dir>', 'the folder; each file has one operation and its fragments')
      .option('--as <user>', 'the person who decides this; needed unless it is a dry run')
      .option('--prune', 'retire what is registered and has no file')
      .option('--dry-run', 'check everything and tell what would be done, without doing it')
      .addHelpText('after', about)
      .action(sync),
    command('documents list', 'which documents are registered', '').action(list),
    command('documents history', 'what a name stands and stood for, and who said so', 'OpenTickets')
      .argument('<name>', 'the name of the document')
      .action(history),
    command(
      'documents report',
      'what ran, or was refused, without being registered, for each role that is `logged` or `registered`',
      '--since 7d',
      '--role support-agent --json',
    )
      .option('--role <role>', 'for this role alone')
      .option(...sinceOption)
      .action(report),
  );

async function sync(folder: string, { as, json, prune = false, dryRun = false }: SyncOptions): Promise<void> {
  const result = await synced(json, () =>
    withDatabase((database) =>
      syncDocuments(
        { database, clock: systemClock, ids: makeIds(systemClock), progress },
        { folder, as, prune, dryRun },
      ),
    ),
  );
  answer(json, { command: 'documents sync', dryRun, ...result }, () => syncLines(result, dryRun));
}

/** With `--json`, faults are answered as JSON too, beside the text on standard error. */
async function synced(json: boolean | undefined, work: () => Promise<SyncReport>): Promise<SyncReport> {
  try {
    return await work();
  } catch (error) {
    if (json === true && error instanceof ImportRefused)
      print(JSON.stringify({ error: { code: error.code, faults: error.faults } }, null, 2));
    throw error;
  } finally {
    progress('');
  }
}

const syncLines = (report: SyncReport, dryRun: boolean): string[] => [
  `${String(report.documents)} documents${dryRun ? ' (dry run)' : ''}:`,
  ...columns([
    ['  created', String(report.created)],
    ['  replaced', String(report.replaced)],
    ['  unchanged', String(report.unchanged)],
    ['  retired', String(report.retired.length)],
    ['  registered without a file', String(report.withoutFile.length)],
  ]),
  ...report.withoutFile.map((name) => `    ${clean(name)} (--prune retires it)`),
  report.operationId === null
    ? 'This was a dry run: nothing was changed.'
    : `Audit record: ${report.operationId}`,
];

async function list(options: JsonOption): Promise<void> {
  const all = await withDatabase((database) => activeDocuments(database.read));
  const shown = all.map(({ name, kind, hash, registeredAt }) => ({ name, kind, hash, registeredAt }));
  answer(options.json, shown, () =>
    columns([
      ['name', 'kind', 'registered', 'hash'],
      ...shown.map(({ name, kind, hash, registeredAt }) => [
        clean(name),
        kind,
        registeredAt,
        `sha256:${hash}`,
      ]),
    ]),
  );
}

async function history(name: string, options: JsonOption): Promise<void> {
  const { rows, names } = await withDatabase(async ({ read }) => {
    const found = await documentHistory(read, name);
    const ids = found.flatMap(({ registeredById, retiredById }) => [registeredById, retiredById ?? '']);
    const people = await read.select(users, isIn<UserRow>('id', [...new Set(ids)]));
    return { rows: found, names: new Map(people.map((user) => [user.id, user.name])) };
  });
  if (rows.length === 0) throw new CommandError(`No document of the name ${name} was ever registered.`);
  const nameOf = (id: string | null): string | null => (id === null ? null : (names.get(id) ?? id));
  const shown = rows.map(({ kind, hash, registeredAt, retiredAt, source, ...by }) => ({
    ...{ kind, hash, registeredAt, registeredBy: nameOf(by.registeredById) },
    ...{ retiredAt, retiredBy: nameOf(by.retiredById), source },
  }));
  answer(options.json, shown, () =>
    columns([
      ['registered', 'by', 'retired', 'by', 'kind', 'hash'],
      ...shown.map((one) => [
        ...[
          one.registeredAt,
          clean(one.registeredBy ?? '-'),
          one.retiredAt ?? '-',
          clean(one.retiredBy ?? '-'),
        ],
        ...[one.kind, `sha256:${one.hash}`],
      ]),
    ]),
  );
}

async function report({ role, since, json }: ReportOptions): Promise<void> {
  const uses = await withDatabase(async ({ read }) => {
    if (role !== undefined && (await read.one(roles, eq<RoleRow>('name', role))) === undefined)
      throw new CommandError(`There is no role ${role}.`);
    return unregisteredUses(read, { role, since });
  });
  answer(json, uses, () => reportLines(uses));
}

const reportLines = (uses: readonly UnregisteredUses[]): string[] =>
  columns([
    ['role', 'operation', 'ran', 'refused', 'last', 'registered now', 'hash'],
    ...uses.map((use) => [
      ...[clean(use.role), clean(use.operationName ?? '-'), String(use.ran), String(use.refused)],
      ...[use.lastAt, clean(use.registeredAs ?? 'no'), `sha256:${use.hash}`],
    ]),
  ]);
