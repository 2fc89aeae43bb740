import { documentHistory, activeDocuments } from '../admin/trusted-documents.js';
import { unregisteredUses, type UnregisteredUses } from './documents-report.js';
import { syncDocuments, type SyncReport } from './documents-sync.js';
import { eq } from '../store/sql/condition.js';
import { roles, type RoleRow } from '../store/tables/identity.js';
import { inWorkshop, recordLine } from './operator/in-workshop.js';
import { servedSdl } from './operator/served-sdl.js';
import { withDatabase } from './operator/with-database.js';
import { isIn } from '../store/sql/condition.js';
import { users, type UserRow } from '../store/tables/identity.js';
import type { JsonOption } from './terminal/command.js';
import { CommandError } from '../core/command-error.js';
import { answer, clean, columns } from './terminal/output.js';

export interface SyncOptions extends JsonOption {
  readonly as?: string;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
}
export interface ReportOptions extends JsonOption {
  readonly role?: string;
  readonly since?: string;
}

/** `behalf documents sync` */
export async function sync(
  folder: string,
  { as, json, prune = false, dryRun = false }: SyncOptions,
): Promise<void> {
  const sdl = servedSdl();
  const result = await inWorkshop(json, (workshop) =>
    syncDocuments(workshop, { folder, as, prune, dryRun, sdl }),
  );
  answer(json, { command: 'documents sync', dryRun, ...result }, () => syncLines(result, dryRun));
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
  recordLine(report.operationId),
];

/** `behalf documents list` */
export async function list(options: JsonOption): Promise<void> {
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

/** `behalf documents history` */
export async function history(name: string, options: JsonOption): Promise<void> {
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

/** `behalf documents report` */
export async function report({ role, since, json }: ReportOptions): Promise<void> {
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
