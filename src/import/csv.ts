import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { CsvBytes, encodingOf } from './csv-bytes.js';
import type { InputFaults } from '../operator/input-faults.js';

export interface CsvFile {
  readonly folder: string;
  /** The path below the folder. Faults name the file by it. */
  readonly name: string;
  /** Undefined: the delimiter from the file's first line (`sep=;`), or else `,`. */
  readonly delimiter: string | undefined;
  /** Texts that mean no value, beside the empty text. */
  readonly nulls: ReadonlySet<string>;
  /** The column that gets the surplus fields of a row with too many. */
  readonly extraCommasIn?: string | undefined;
  /** Whether a file without rows is accepted. */
  readonly allowEmpty?: boolean | undefined;
}

export interface CsvRow {
  /** The line on which the row begins, from 1. */
  readonly line: number;
  /** A column's text, trimmed. Null for no value. */
  text(column: string): string | null;
}

/** A column that will be read, and what to do where the file lacks it. */
export interface NeededColumn {
  readonly name: string;
  readonly missing: (header: readonly string[]) => void;
}

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/** A longer row is not a row: a quote was left open. */
const rowBytesMax = 4 * 1024 * 1024;

/** One pass over a CSV file, row by row. The file is never held in memory. */
export class CsvReader {
  private readonly bytes = new CsvBytes();
  private delimiter = ',';
  /** Whether some row could not be read. Then a missing row proves nothing. */
  incomplete = false;

  constructor(
    private readonly file: CsvFile,
    private readonly faults: InputFaults,
  ) {}

  /** SHA-256 of the file, once it has been read to its end. */
  get digest(): string {
    return this.bytes.digest;
  }

  /** The rows with as many fields as the header. Faults of other rows are reported. */
  async *rows(needed: readonly NeededColumn[]): AsyncGenerator<CsvRow> {
    try {
      let header: Header | undefined;
      let last = 1;
      let isEmpty = true;
      const separator = await this.separator();
      this.delimiter = separator ?? this.file.delimiter ?? ',';
      if (this.file.delimiter !== undefined && this.delimiter !== this.file.delimiter)
        this.fault(1, 'The file says another delimiter than the mapping.');
      for await (const { record, info } of this.parsed(separator === undefined ? 1 : 2)) {
        const line = info.lines - breaksIn(record);
        last = info.lines;
        if (header === undefined) {
          header = this.header(record, line, needed);
          if (header === undefined) return;
          continue;
        }
        isEmpty = false;
        const fields = this.fields(record, header, line);
        if (fields !== undefined) yield new Row(line, header, fields, this.file.nulls);
      }
      if (header === undefined) this.fault(1, 'The file is empty; it needs a line with the columns.');
      else if (isEmpty && this.file.allowEmpty !== true)
        this.fault(last, 'There is no row below the columns. Where that is meant, say `allowEmpty: true`.');
    } catch (error) {
      this.report(error);
    }
  }

  /** The delimiter in the first line (`sep=;`), which spreadsheets read and write. */
  private async separator(): Promise<string | undefined> {
    const file = await open(join(this.file.folder, this.file.name));
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
      const start = new TextDecoder(encodingOf(buffer)).decode(buffer.subarray(0, bytesRead));
      return /^"?sep=([^\r\n"])"?[ \t]*[\r\n]/i.exec(start)?.[1];
    } finally {
      await file.close();
    }
  }

  private parsed(fromLine: number): AsyncIterable<Parsed> {
    const parser = parse({
      delimiter: this.delimiter,
      from_line: fromLine,
      info: true,
      max_record_size: rowBytesMax,
      record_delimiter: '\n',
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
    });
    // An error of any stream reaches the parser, where it is awaited.
    pipeline(
      createReadStream(join(this.file.folder, this.file.name)),
      this.bytes.stream(),
      parser,
      () => undefined,
    );
    return parser as AsyncIterable<Parsed>;
  }

  private header(
    record: readonly string[],
    line: number,
    needed: readonly NeededColumn[],
  ): Header | undefined {
    const names = withoutEmptyEnd(record.map((name) => name.trim()));
    const before = this.faults.count;
    const twice = names.find((name, at) => name !== '' && names.indexOf(name) !== at);
    if (twice !== undefined) this.fault(line, `The column ${JSON.stringify(twice)} is there twice.`);
    for (const { name, missing } of needed) if (!names.includes(name)) missing(names);
    this.incomplete = this.faults.count > before;
    if (this.incomplete) return undefined;
    const positions = new Map(names.flatMap((name, at) => (name === '' ? [] : [[name, at] as const])));
    return { positions, width: names.length, unnamed: record.length - names.length };
  }

  private fields(written: readonly string[], header: Header, line: number): readonly string[] | undefined {
    const at = header.positions.get(this.file.extraCommasIn ?? '');
    // In a row with surplus commas, an empty last field may be a real one.
    const spare = at === undefined ? written.length : header.unnamed;
    const record = withoutEmptyEnd(written, Math.max(header.width, written.length - spare));
    const surplus = record.length - header.width;
    if (record.some((field) => field.includes('\ufffd'))) {
      this.fault(line, 'There are bytes that are not UTF-8.');
      return undefined;
    }
    if (surplus === 0) return record;
    if (surplus < 0 || at === undefined) {
      const hint = surplus < 0 ? '' : ' If one column has commas without quotes, name it in `extraCommasIn`.';
      const counts = `The row has ${String(record.length)} fields, the header ${String(header.width)}.`;
      this.fault(line, counts + hint);
      return undefined;
    }
    const whole = record.slice(at, at + surplus + 1).join(this.delimiter);
    return [...record.slice(0, at), whole, ...record.slice(at + surplus + 1)];
  }

  private fault(line: number | undefined, reason: string): void {
    this.incomplete = true;
    this.faults.add({ file: this.file.name, line, reason });
  }

  private report(error: unknown): void {
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

interface Header {
  readonly positions: ReadonlyMap<string, number>;
  readonly width: number;
  /** The number of unnamed fields at the end of the header, which spreadsheets write. */
  readonly unnamed: number;
}

/** Removes empty fields at the end, down to a minimum length. */
function withoutEmptyEnd(record: readonly string[], lengthMin = 0): readonly string[] {
  let length = record.length;
  while (length > lengthMin && record[length - 1]?.trim() === '') length -= 1;
  return record.slice(0, length);
}

class Row implements CsvRow {
  constructor(
    readonly line: number,
    private readonly header: Header,
    private readonly fields: readonly string[],
    private readonly nulls: ReadonlySet<string>,
  ) {}

  text(column: string): string | null {
    const text = (this.fields[this.header.positions.get(column) ?? -1] ?? '').replace(outerSpace, '');
    return text === '' || this.nulls.has(text) ? null : text;
  }
}

/** A byte order mark is not trimmed, so that one inside a value is reported. */
const outerSpace = /^[^\S\ufeff]+|[^\S\ufeff]+$/g;

const breaksIn = (record: readonly string[]): number =>
  record.reduce((sum, field) => sum + (field.match(/\n/g)?.length ?? 0), 0);
