import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Trail } from '../../audit/trail.js';
import { sha256 } from '../../core/digest.js';
import { badInput, conflict } from '../../core/errors.js';
import type { Connection } from '../../store/connection.js';
import { Checker } from './checker.js';
import { Converter, type World } from './converter.js';
import { CsvReader, type CsvFile } from './csv.js';
import type { Entity } from './entities.js';
import { Faults } from './faults.js';
import { Keys } from './keys.js';
import { readLookups } from './lookups.js';
import { MappingFile } from './mapping.js';
import { planOf, type PlannedEntity } from './plan.js';
import { recordedRun, responsible, type RunOptions, type Workshop } from './recorded-run.js';
import { Writer, type Counts, type PendingRow } from './writer.js';

export interface BusinessOptions extends RunOptions {
  readonly folder: string;
  readonly mapping: string;
}

export interface EntityReport extends Counts {
  /** Rows of this source that are in the file no more. They stay as they are. */
  readonly vanished: number;
}

export interface BusinessReport {
  readonly source: string;
  readonly entities: Readonly<Record<string, EntityReport>>;
  readonly operationId: string | null;
}

/** Rows that are looked up and written at once. */
const chunkRows = 500;

/**
 * Brings the rows of CSV files into the tables that a mapping names. Files are read twice and never held: the first
 * reading finds every fault, the second writes in one transaction, so that the import is done whole or not at all.
 */
export async function importBusiness(
  workshop: Workshop,
  entities: ReadonlyMap<string, Entity>,
  options: BusinessOptions,
): Promise<BusinessReport> {
  const { read } = workshop.database;
  await responsible(read, options);
  const faults = new Faults();
  const text = await readFile(options.mapping, 'utf8').catch((cause: unknown) => {
    throw badInput(`${options.mapping} cannot be read: ${String((cause as { code?: unknown }).code)}.`);
  });
  const file = MappingFile.parse(basename(options.mapping), text, faults);
  const plan = file === undefined ? [] : planOf(file, entities);
  faults.refuse();
  if (file === undefined || plan.length === 0) throw badInput(`${options.mapping} maps nothing.`);
  return new BusinessImport(workshop, entities, options, file, plan, sha256(text)).run();
}

class BusinessImport {
  private readonly source: string;
  private readonly csv: Omit<CsvFile, 'name'>;
  /** SHA-256 of each entity's file as it was when it was checked. */
  private readonly digests = new Map<string, string>();

  constructor(
    private readonly workshop: Workshop,
    private readonly entities: ReadonlyMap<string, Entity>,
    private readonly options: BusinessOptions,
    private readonly file: MappingFile,
    private readonly plan: readonly PlannedEntity[],
    private readonly mappingDigest: string,
  ) {
    const { source, delimiter, nulls } = file.mapping;
    this.source = source;
    this.csv = { folder: options.folder, delimiter, nulls: new Set(nulls) };
  }

  async run(): Promise<BusinessReport> {
    const { database } = this.workshop;
    const faults = this.file.faults;
    const world = await this.world(database.read, faults);
    for (const planned of this.plan) await this.check(planned, world, faults);
    faults.refuse();
    const { result, operationId } = await recordedRun(this.workshop, this.options, {
      command: 'import business',
      detail: (counts: Readonly<Record<string, EntityReport>>) => ({
        source: this.source,
        counts,
        mapping: this.mappingDigest,
        content: Object.fromEntries(this.digests),
      }),
      run: async (tx, trail) => {
        const counts: Record<string, EntityReport> = {};
        for (const planned of this.plan)
          counts[planned.entity.name] = await this.write(planned, world, tx, trail);
        return counts;
      },
    });
    return { source: this.source, entities: result, operationId };
  }

  /** What is there already of this source, also of tables that only are referred to. */
  private async world(connection: Connection, faults: Faults): Promise<World> {
    const lookups = await readLookups(this.file, this.csv, faults);
    const keys = new Map<string, Keys>();
    const referred = this.plan.flatMap(({ fields }) => fields.flatMap(({ field }) => field.references ?? []));
    for (const name of new Set([...this.plan.map(({ entity }) => entity.name), ...referred])) {
      const entity = this.entities.get(name);
      if (entity !== undefined) keys.set(name, await Keys.load(connection, entity, this.source));
    }
    return { keys, lookups, sums: new Map() };
  }

  private async check(planned: PlannedEntity, world: World, faults: Faults): Promise<void> {
    const { database, ids, progress } = this.workshop;
    const { name } = planned.entity;
    const keys = world.keys.get(name) ?? new Keys();
    const checker = new Checker(planned, world, keys, faults, ids);
    const reader = this.reader(planned, faults);
    let done = 0;
    for await (const row of reader.rows(planned.needed)) {
      checker.check(row);
      done += 1;
      if (done % chunkRows !== 0) continue;
      await checker.flush(database.read);
      progress(`checking ${name}: ${String(done)} rows`);
    }
    await checker.flush(database.read);
    if (reader.incomplete) keys.incomplete = true;
    this.digests.set(name, reader.digest);
  }

  private async write(
    planned: PlannedEntity,
    world: World,
    tx: Connection,
    trail: Trail,
  ): Promise<EntityReport> {
    const { entity } = planned;
    const faults = new Faults();
    const converter = new Converter(planned, world, faults);
    const writer = new Writer(tx, entity, this.source, trail);
    const reader = this.reader(planned, faults);
    const changed = () =>
      conflict(`${planned.mapping.file} changed while it was imported. Run the import again.`);
    const keys = world.keys.get(entity.name);
    let done = 0;
    let pending: PendingRow[] = [];
    const flush = async (): Promise<void> => {
      await writer.write(pending);
      done += pending.length;
      pending = [];
      this.workshop.progress(`writing ${entity.name}: ${String(done)} rows`);
    };
    for await (const row of reader.rows(planned.needed)) {
      const key = converter.key(row);
      const known = key === undefined ? undefined : keys?.get(key);
      const columns = known === undefined ? undefined : converter.convert(row, known);
      if (key === undefined || known === undefined || columns === undefined) throw changed();
      pending.push({ key, known, columns });
      if (pending.length === chunkRows) await flush();
    }
    await flush();
    if (reader.digest !== this.digests.get(entity.name) || faults.count > 0) throw changed();
    return { ...writer.counts, vanished: keys?.vanished ?? 0 };
  }

  private reader({ mapping }: PlannedEntity, faults: Faults): CsvReader {
    return new CsvReader({ ...this.csv, name: mapping.file, extraCommasIn: mapping.extraCommasIn }, faults);
  }
}
