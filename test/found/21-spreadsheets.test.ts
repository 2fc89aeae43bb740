import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CsvReader } from '../../src/import/csv.js';
import { InputFaults } from '../../src/operator/input-faults.js';
import { timeReader } from '../../src/import/time-formats.js';
import { shifted } from '../../src/import/field-values.js';

const folder = mkdtempSync(join(tmpdir(), 'behalf-csv-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Options {
  readonly delimiter?: string;
  readonly extraCommasIn?: string;
  readonly allowEmpty?: boolean;
}

async function read(bytes: string | Buffer, { delimiter, ...more }: Options = {}) {
  writeFileSync(join(folder, 'file.csv'), bytes);
  const faults = new InputFaults();
  const reader = new CsvReader({ folder, name: 'file.csv', delimiter, nulls: new Set(), ...more }, faults);
  const needed = ['a', 'b'].map((name) => ({
    name,
    missing: (header: readonly string[]) => {
      faults.add({ file: 'file.csv', line: 1, reason: `no ${name} among ${header.join(' ')}` });
    },
  }));
  const rows: unknown[] = [];
  for await (const row of reader.rows(needed)) rows.push([row.line, row.text('a'), row.text('b')]);
  return { rows, faults: faults.all.map(({ line, reason }) => `${String(line)}: ${reason}`) };
}

const bigEndian = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
const two = {
  rows: [
    [2, '1', 'x'],
    [3, '2', 'y'],
  ],
  faults: [],
};

describe('21 a file is read as spreadsheets write it', () => {
  test.each<[string, string | Buffer, Options?]>([
    ['columns without a name at the end', 'a,b,,,\n1,x,,,\n2,y,,,\n'],
    ['empty fields at the end of rows alone', 'a,b\n1,x,,\n2,y,\n'],
    ['rows with nothing in them', 'a,b\n1,x\n2,y\n,\n , \n,,,\n\n'],
    ['CR alone', 'a,b\r1,x\r2,y\r'],
    ['CRLF', 'a,b\r\n1,x\r\n2,y'],
    ['line ends of two kinds', 'a,b\r\n1,x\n2,y\r\n'],
    ['UTF-16, big end first', bigEndian('\ufeffa,b\r\n1,x\r\n2,y\r\n')],
    ['UTF-16, little end first', Buffer.from('\ufeffa,b\n1,x\n2,y\n', 'utf16le')],
    ['UTF-16 without a mark, big end first', bigEndian('a,b\n1,x\n2,y\n')],
    ['UTF-16 without a mark, little end first', Buffer.from('a,b\n1,x\n2,y\n', 'utf16le')],
    ['UTF-8 with a mark', '\ufeffa,b\n1,x\n2,y\n'],
    ['another delimiter by the mapping', 'a;b;;\n1;x;;\n2;y;;\n', { delimiter: ';' }],
  ])('%s', async (_, bytes, options) => {
    expect(await read(bytes, options)).toEqual(two);
  });

  test.each<[string, string | Buffer, Options?]>([
    ['sep=;', 'sep=;\na;b\n1;x\n2;y\n'],
    ['sep=; with CRLF', '\ufeffsep=;\r\na;b\r\n1;x\r\n2;y\r\n'],
    ['SEP=; in quotes', '"SEP=;"\na;b\n1;x\n2;y\n'],
    ['sep= with a tab', 'sep=\t\na\tb\n1\tx\n2\ty\n'],
    ['sep=; as the mapping says', 'sep=;\na;b\n1;x\n2;y\n', { delimiter: ';' }],
    ['sep=; in UTF-16', bigEndian('\ufeffsep=;\r\na;b\r\n1;x\r\n2;y\r\n')],
    ['sep=; and CR alone', 'sep=;\ra;b\r1;x\r2;y\r'],
  ])('%s is the delimiter, and counts as a line', async (_, bytes, options) => {
    expect(await read(bytes, options)).toEqual({
      rows: [
        [3, '1', 'x'],
        [4, '2', 'y'],
      ],
      faults: [],
    });
  });

  test('a row begins on its line, whatever ends the lines in its fields', async () => {
    for (const end of ['\n', '\r\n', '\r'])
      expect(await read(['a,b', '1,"x', '', 'y"', '2,z', ''].join(end))).toEqual({
        rows: [
          [2, '1', 'x\n\ny'],
          [5, '2', 'z'],
        ],
        faults: [],
      });
  });

  test('a long file in pieces is the same, wherever a line end is cut', async () => {
    const rows = Array.from({ length: 9_000 }, (_, at) => `${String(at)},${'x'.repeat(at % 17)}é`);
    const { rows: found, faults } = await read(['a,b', ...rows].join('\r\n'));
    expect(faults).toEqual([]);
    expect(found).toHaveLength(rows.length);
    expect(found.at(-1)).toEqual([9_001, '8999', `${'x'.repeat(8_999 % 17)}é`]);
  });

  test('surplus commas still go where the mapping says, beside columns without a name', async () => {
    const options = { extraCommasIn: 'b' };
    expect((await read('a,b,,\n1,x, y,,\n', options)).rows).toEqual([[2, '1', 'x, y']]);
    expect((await read('b,a,c\nx, y,1,\n', options)).rows).toEqual([[2, '1', 'x, y']]);
  });

  test.each<[string, string | Buffer, string, Options?]>([
    ['a value under no name', 'a,b,,\n1,x,,\n2,y,z,\n', '3: The row has 3 fields, the header 2.'],
    ['a row that is too short', 'a,b\n1,x\n2\n', '3: The row has 1 fields'],
    ['no row', 'a,b\n', '1: There is no row below the columns.'],
    ['only rows without values', 'a,b\n,\n\n', '1: There is no row below the columns.'],
    ['nothing', '', '1: The file is empty'],
    ['only a separator', 'sep=;\n', '1: The file is empty'],
    ['another delimiter', 'a;b\n1;x\n', '1: no a among a;b'],
    [
      'a separator unlike that of the mapping',
      'sep=;\na;b\n1;x\n',
      '1: The file says another',
      { delimiter: '\t' },
    ],
    ['bytes that are not UTF-8', Buffer.from('a,b\n1,x\n2,caf\xe9\n', 'latin1'), '3: There are bytes'],
    ['a column twice', 'sep=;\na;b;a\n1;x;2\n', '2: The column "a" is there twice.'],
  ])('%s is refused with its line', async (_, bytes, fault, options) => {
    expect((await read(bytes, options)).faults[0]).toMatch(new RegExp(`^${fault.replace(/[.?]/g, '\\$&')}`));
  });

  test('a file without rows is taken where the mapping says so', async () => {
    expect(await read('a,b\n', { allowEmpty: true })).toEqual({ rows: [], faults: [] });
  });

  test.each([
    ['1234,50', ',', undefined, 123_450n],
    ['-0,5', ',', undefined, -50n],
    ['1.234,50', ',', '.', 123_450n],
    ['1 234 567,5', ',', ' ', 123_456_750n],
    ['1\u202f234,50', ',', ' ', 123_450n],
    ["1'234.50", '.', "'", 123_450n],
    ['1,234.50', '.', ',', 123_450n],
    ['12', ',', '.', 1_200n],
    ['1.234', ',', '.', 123_400n],
  ] as const)('%s with %j and %j is %d', (text, decimal, group, minor) => {
    expect(shifted(text, 2, { decimal, group })).toBe(minor);
  });

  test.each([
    ['12.50', ',', undefined],
    ['1.234,50', ',', undefined],
    ['12,50', '.', undefined],
    ['1,23,456.00', '.', ','],
    ['1.23', ',', '.'],
    ['1.234.50', ',', '.'],
    ['12\u200b.50', '.', undefined],
    ['\u200e12.50', '.', undefined],
    ['\ufeff12.50', '.', undefined],
    ['١٢', '.', undefined],
    ['１２', '.', undefined],
    ['12\u00a0', '.', undefined],
  ] as const)('%j with %j and %j is no number', (text, decimal, group) => {
    expect(() => shifted(text, 2, { decimal, group })).toThrow('is no decimal number');
  });

  test('what nobody sees is told by its code', async () => {
    expect(() => shifted('1\u200b2', 2)).toThrow('"1\\u200b2" is no decimal number');
    expect(() => timeReader(undefined)('2024-03-0\u200e1')).toThrow('"2024-03-0\\u200e1" is no time');
    expect((await read('a,b\n1,\ufeff12\n')).rows).toEqual([[2, '1', '\ufeff12']]);
  });

  test.each([
    ['DD.MM.YYYY', '01.03.2024', '2024-03-01T00:00:00.000Z'],
    ['DD/MM/YYYY', '01/03/2024', '2024-03-01T00:00:00.000Z'],
    ['D.M.YYYY', '1.3.2024', '2024-03-01T00:00:00.000Z'],
    ['D.M.YYYY H:mm', '31.12.2024 9:05', '2024-12-31T09:05:00.000Z'],
    [undefined, '9999-12-31T23:59:59+00:00', '9999-12-31T23:59:59.000Z'],
    [undefined, '1000-01-01T14:00+14:00', '1000-01-01T00:00:00.000Z'],
    [undefined, '2024-03-01T00:00-14:00', '2024-03-01T14:00:00.000Z'],
  ])('a time written %s: %s', (format, text, time) => {
    expect(timeReader(format)(text)).toBe(time);
  });

  test.each([
    ['9999-12-31T23:59:59-00:01', 'outside the years'],
    ['1000-01-01T00:00+00:01', 'outside the years'],
    ['0999-12-31', 'outside the years'],
    ['0000-01-01', 'is no time of the calendar'],
    ['2024-03-01T00:00+14:01', 'from -14:00 to +14:00'],
    ['2024-03-01T00:00-15:00', 'from -14:00 to +14:00'],
    ['2024-03-01T00:00+99:99', 'from -14:00 to +14:00'],
    ['2024-03-01T00:00+10:60', 'from -14:00 to +14:00'],
    ['10000-01-01', 'is no time written'],
    ['+002024-03-01', 'is no time written'],
    ['٢٠٢٤-٠٣-٠١', 'is no time written'],
  ])('%s is refused: %s', (text, reason) => {
    expect(() => timeReader(undefined)(text)).toThrow(reason);
  });
});
