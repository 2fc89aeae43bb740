import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Transform, pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { Faults } from './faults.js';

export interface CsvFile {
  readonly folder: string;
  /** Below the folder; also how faults call it. */
  readonly name: string;
  readonly delimiter: string;
  /** Texts that stand for no value, beside the empty one. */
  readonly nulls: ReadonlySet<string>;
  /** The column to which the rest belongs where a row has too many fields. */
  readonly extraCommasIn?: string | undefined;
}

export interface CsvRow {
  /** On which line of the file the row begins, from 1. */
  readonly line: number;
  /** A column's text, trimmed; null for no value. */
  text(column: string): string | null;
}

/** A column that somebody is going to ask for, and what to do where the file has none such. */
export interface NeededColumn {
  readonly name: string;
  readonly missing: (header: readonly string[]) => void;
}

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/** A row longer than this is no row: somewhere a quote was left open. */
const rowBytesMax = 4 * 1024 * 1024;

/** One reading of a CSV file, row by row, never the whole of it at once. */
export class CsvReader {
  /** SHA-256 of the file, once it has been read to its end. */
  digest = '';
  /** Some row could not be read, so that nothing follows from one not being there. */
  incomplete = false;

  constructor(
    private readonly file: CsvFile,
    private readonly faults: Faults,
  ) {}

  /** Rows with as many fields as the header. What is wrong with others is told. */
  async *rows(needed: readonly NeededColumn[]): AsyncGenerator<CsvRow> {
    try {
      let header: Header | undefined;
      for await (const { record, info } of this.parsed()) {
        const line = info.lines - breaksIn(record);
        if (header === undefined) {
          header = this.header(record, needed);
          if (header === undefined) return;
          continue;
        }
        const fields = this.fields(record, header, line);
        if (fields !== undefined) yield new Row(line, header, fields, this.file.nulls);
      }
      if (header === undefined) this.fault(undefined, 'The file is empty; it needs a line with the columns.');
    } catch (error) {
      this.told(error);
    }
  }

  private parsed(): AsyncIterable<Parsed> {
    const hash = createHash('sha256');
    const tap = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        hash.update(chunk);
        done(null, chunk);
      },
      flush: (done) => {
        this.digest = hash.digest('base64url');
        done();
      },
    });
    const parser = parse({
      bom: true,
      delimiter: this.file.delimiter,
      info: true,
      max_record_size: rowBytesMax,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
    });
    // Errors of any of them come out of the parser, where they are awaited.
    pipeline(createReadStream(join(this.file.folder, this.file.name)), tap, parser, () => undefined);
    return parser as AsyncIterable<Parsed>;
  }

  private header(record: readonly string[], needed: readonly NeededColumn[]): Header | undefined {
    const names = record.map((name) => name.trim());
    const before = this.faults.count;
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) this.fault(1, `The column ${JSON.stringify(twice)} is there twice.`);
    for (const { name, missing } of needed) if (!names.includes(name)) missing(names);
    this.incomplete = this.faults.count > before;
    return this.incomplete ? undefined : new Map(names.map((name, at) => [name, at]));
  }

  private fields(record: readonly string[], header: Header, line: number): readonly string[] | undefined {
    const surplus = record.length - header.size;
    const at = header.get(this.file.extraCommasIn ?? '');
    if (record.some((field) => field.includes('\ufffd'))) {
      this.fault(line, 'There are bytes that are not UTF-8.');
      return undefined;
    }
    if (surplus === 0) return record;
    if (surplus < 0 || at === undefined) {
      const hint = surplus < 0 ? '' : ' If one column has commas without quotes, name it in `extraCommasIn`.';
      const counts = `The row has ${String(record.length)} fields, the header ${String(header.size)}.`;
      this.fault(line, counts + hint);
      return undefined;
    }
    const whole = record.slice(at, at + surplus + 1).join(this.file.delimiter);
    return [...record.slice(0, at), whole, ...record.slice(at + surplus + 1)];
  }

  private fault(line: number | undefined, reason: string): void {
    this.incomplete = true;
    this.faults.add({ file: this.file.name, line, reason });
  }

  private told(error: unknown): void {
    if (error instanceof CsvError) {
      const lines: unknown = (error as { lines?: unknown }).lines;
      this.fault(typeof lines === 'number' ? lines : undefined, csvReasons[error.code] ?? error.message);
      return;
    }
    const code: unknown = (error as { code?: unknown }).code;
    if (code !== 'ENOENT' && code !== 'EISDIR' && code !== 'EACCES') throw error;
    this.fault(undefined, code === 'ENOENT' ? 'There is no such file.' : 'This cannot be read as a file.');
  }
}

const csvReasons: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'A quote is opened and never closed.',
  CSV_MAX_RECORD_SIZE: 'A row is longer than 4 MiB; a quote may be open.',
  INVALID_OPENING_QUOTE: 'A quote stands inside a field that does not begin with one.',
  CSV_INVALID_CLOSING_QUOTE: 'After a closing quote comes neither the delimiter nor the end of the line.',
};

type Header = ReadonlyMap<string, number>;

class Row implements CsvRow {
  constructor(
    readonly line: number,
    private readonly header: Header,
    private readonly fields: readonly string[],
    private readonly nulls: ReadonlySet<string>,
  ) {}

  text(column: string): string | null {
    const text = this.fields[this.header.get(column) ?? -1]?.trim() ?? '';
    return text === '' || this.nulls.has(text) ? null : text;
  }
}

const breaksIn = (record: readonly string[]): number =>
  record.reduce((sum, field) => sum + (field.match(/\n/g)?.length ?? 0), 0);
