import { CsvReader, type CsvFile } from './csv.js';
import type { InputFaults } from '../operator/input-faults.js';
import type { Constant, Lookup, MappingFile } from './mapping.js';

/**
 * Functions that look a text up. They return undefined for an unknown text, and null for one that means no
 * value.
 */
export type Lookups = ReadonlyMap<string, (text: string) => string | null | undefined>;

/** Lookups are held in memory, so they must be small. */
const entriesMax = 100_000;

const textOf = (constant: Constant): string | null => (constant === null ? null : String(constant));

/** Reads the lookups of a mapping, inline ones and those from files. */
export async function readLookups(
  file: MappingFile,
  csv: Omit<CsvFile, 'name'>,
  faults: InputFaults,
): Promise<Lookups> {
  const lookups = new Map<string, (text: string) => string | null | undefined>();
  for (const [name, lookup] of Object.entries(file.mapping.lookups)) {
    const entries =
      lookup.values === undefined
        ? await fromFile(file, name, lookup, csv, faults)
        : new Map(Object.entries(lookup.values).map(([key, value]) => [key, textOf(value)]));
    const fallback = lookup.default === undefined ? undefined : textOf(lookup.default);
    lookups.set(name, (text) => (entries.has(text) ? entries.get(text) : fallback));
  }
  return lookups;
}

async function fromFile(
  mapping: MappingFile,
  lookupName: string,
  { file = '', key = '', value = '' }: Lookup,
  csv: Omit<CsvFile, 'name'>,
  faults: InputFaults,
): Promise<Map<string, string | null>> {
  const entries = new Map<string, string | null>();
  const needed = Object.entries({ key, value }).map(([part, name]) => ({
    name,
    missing: () => {
      mapping.fault(['lookups', lookupName, part], `${file} has no column ${JSON.stringify(name)}`);
    },
  }));
  for await (const row of new CsvReader({ ...csv, name: file }, faults).rows(needed)) {
    const from = row.text(key);
    const place = { file, line: row.line, column: key };
    if (from === null) faults.add({ ...place, reason: 'A lookup needs a key in each row.' });
    else if (entries.has(from)) faults.add({ ...place, reason: `${JSON.stringify(from)} is there twice.` });
    else entries.set(from, row.text(value));
    if (entries.size > entriesMax) {
      faults.add({ ...place, reason: `A lookup has at most ${String(entriesMax)} rows.` });
      break;
    }
  }
  return entries;
}
