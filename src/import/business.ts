import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { sha256 } from '../core/digest.js';
import { badInput, conflict } from '../core/errors.js';
import type { Connection } from '../store/sql/connection.js';
import { RowChecker } from './row-checker.js';
import { RowConverter, type World } from './row-converter.js';
import { CsvReader, type CsvFile } from './csv.js';
import type { Entity } from './importable-tables.js';
import { InputFaults } from '../operator/input-faults.js';
import { ImportKeys } from './import-keys.js';
import { readLookups } from './mapping-lookups.js';
import { MappingFile } from './mapping.js';
import { planOf, type PlannedEntity } from './mapping-plan.js';
import {
  recordedParts,
  responsible,
  type Part,
  type RunOptions,
  type Workshop,
} from '../operator/recorded-run.js';
import { RowWriter, type Counts, type PendingRow } from './row-writer.js';

export interface BusinessOptions extends RunOptions {
  readonly folder: string;
  readonly mapping: string;
}

interface EntityReport extends Counts {
  /** Earlier rows of this source that are no longer in the file. They stay as they are. */
  readonly vanished: number;
}

export interface BusinessReport {
  readonly source: string;
  readonly entities: Readonly<Record<string, EntityReport>>;
  readonly operationId: string | null;
}

/** The number of rows per look-up and per transaction. */
const chunkRows = 500;

/** The counts of written rows, by table. */
type Written = Readonly<Record<string, Counts>>;

interface Chunk {
  readonly planned: PlannedEntity;
  readonly rows: PendingRow[];
}

/**
 * Imports the rows of CSV files into the tables that a mapping names. Each file is read twice, and never held
 * in memory. The first pass finds every fault, so that a refused import changes nothing. The second pass
 * writes in short transactions.
 */
export async function importBusiness(
  workshop: Workshop,
  entities: ReadonlyMap<string, Entity>,
  options: BusinessOptions,
): Promise<BusinessReport> {
  const { read } = workshop.database;
  await responsible(read, options);
  const faults = new InputFaults();
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
  /** SHA-256 of each entity's file when it was checked. */
  private readonly digests = new Map<string, string>();
  private rowCount = 0;

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
    const count = Math.max(1, Math.ceil(this.rowCount / chunkRows));
    const { results, operationId } = await recordedParts<Written>(this.workshop, this.options, {
      command: 'import business',
      count,
      parts: this.parts(world),
      detail: (done, isLast) => ({
        source: this.source,
        counts: isLast && count === 1 ? this.report(done, world) : done.at(-1),
        ...(isLast && count > 1 && { total: this.report(done, world) }),
        ...(isLast && { mapping: this.mappingDigest, content: Object.fromEntries(this.digests) }),
      }),
    });
    return { source: this.source, entities: this.report(results, world), operationId };
  }

  private report(done: readonly Written[], world: World): Readonly<Record<string, EntityReport>> {
    const sum = (name: string, what: keyof Counts): number =>
      done.reduce((all, written) => all + (written[name]?.[what] ?? 0), 0);
    return Object.fromEntries(
      this.plan.map(({ entity: { name } }) => [
        name,
        {
          created: sum(name, 'created'),
          updated: sum(name, 'updated'),
          unchanged: sum(name, 'unchanged'),
          vanished: world.keys.get(name)?.vanished ?? 0,
        },
      ]),
    );
  }

  /** The existing rows of this source, including those of tables that are only referred to. */
  private async world(connection: Connection, faults: InputFaults): Promise<World> {
    const lookups = await readLookups(this.file, this.csv, faults);
    const keys = new Map<string, ImportKeys>();
    const referred = this.plan.flatMap(({ fields }) => fields.flatMap(({ field }) => field.references ?? []));
    for (const name of new Set([...this.plan.map(({ entity }) => entity.name), ...referred])) {
      const entity = this.entities.get(name);
      if (entity !== undefined) keys.set(name, await ImportKeys.load(connection, entity, this.source));
    }
    return { keys, lookups, sums: new Map() };
  }

  private async check(planned: PlannedEntity, world: World, faults: InputFaults): Promise<void> {
    const { database, ids, progress } = this.workshop;
    const { name } = planned.entity;
    const keys = world.keys.get(name) ?? new ImportKeys();
    const checker = new RowChecker(planned, world, keys, faults, ids);
    const reader = this.reader(planned, faults);
    let done = 0;
    for await (const row of reader.rows(planned.needed)) {
      checker.check(row);
      done += 1;
      this.rowCount += 1;
      if (done % chunkRows !== 0) continue;
      await checker.flush(database.read);
      progress(`checking ${name}: ${String(done)} rows`);
    }
    await checker.flush(database.read);
    if (reader.incomplete) keys.incomplete = true;
    this.digests.set(name, reader.digest);
  }

  /** The rows of all files in the order of the plan. One part may hold rows of several short files. */
  private async *parts(world: World): AsyncGenerator<Part<Written>> {
    let chunks: Chunk[] = [];
    let held = 0;
    let done = 0;
    for (const planned of this.plan) {
      chunks.push({ planned, rows: [] });
      for await (const row of this.rows(planned, world)) {
        chunks.at(-1)?.rows.push(row);
        held += 1;
        if (held < chunkRows) continue;
        this.workshop.progress(`writing ${planned.entity.name}: ${String((done += held))} rows in all`);
        yield this.writing(chunks);
        chunks = [{ planned, rows: [] }];
        held = 0;
      }
    }
    if (held > 0 || done === 0) yield this.writing(chunks);
  }

  private writing(chunks: readonly Chunk[]): Part<Written> {
    return async (tx, trail) => {
      const written: Record<string, Counts> = {};
      for (const { planned, rows } of chunks) {
        const writer = new RowWriter(tx, planned.entity, this.source, trail);
        await writer.write(rows);
        written[planned.entity.name] = writer.counts;
      }
      return written;
    };
  }

  /** The rows that the first pass checked. Throws `CONFLICT` where the file has changed since. */
  private async *rows(planned: PlannedEntity, world: World): AsyncGenerator<PendingRow> {
    const { entity } = planned;
    const faults = new InputFaults();
    const converter = new RowConverter(planned, world, faults);
    const reader = this.reader(planned, faults);
    const keys = world.keys.get(entity.name);
    const changed = () =>
      conflict(`${planned.mapping.file} changed while it was imported. Run the import again.`);
    for await (const row of reader.rows(planned.needed)) {
      const key = converter.key(row);
      const known = key === undefined ? undefined : keys?.get(key);
      const columns = known === undefined ? undefined : converter.convert(row, known);
      if (key === undefined || known === undefined || columns === undefined) throw changed();
      yield { key, known, columns };
    }
    if (reader.digest !== this.digests.get(entity.name) || faults.count > 0) throw changed();
  }

  private reader({ mapping }: PlannedEntity, faults: InputFaults): CsvReader {
    return new CsvReader(
      {
        ...this.csv,
        name: mapping.file,
        extraCommasIn: mapping.extraCommasIn,
        allowEmpty: mapping.allowEmpty,
      },
      faults,
    );
  }
}
