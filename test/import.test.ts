import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { CsvReader } from '../src/import/csv.js';
import { readDocument } from '../src/import/document-file.js';
import { importable } from '../src/import/importable-tables.js';
import { InputFaults, InputRefused } from '../src/operator/input-faults.js';
import { keyOf } from '../src/import/import-keys.js';
import { MappingFile } from '../src/import/mapping.js';
import { planOf } from '../src/import/mapping-plan.js';
import { timeReader } from '../src/import/time-formats.js';
import { lineTotal, shifted } from '../src/import/field-values.js';

const folder = mkdtempSync(join(tmpdir(), 'behalf-import-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What was told, one text a fault. */
function told(faults: InputFaults): string[] {
  try {
    faults.refuse();
    return [];
  } catch (error) {
    if (!(error instanceof InputRefused)) throw error;
    return error.message.split('\n').slice(1);
  }
}

interface Read {
  readonly line: number;
  readonly texts: (string | null)[];
}

async function readCsv(
  text: string | Buffer,
  columns: readonly string[],
  more: { extraCommasIn?: string; nulls?: string[]; delimiter?: string } = {},
): Promise<{ rows: Read[]; faults: string[] }> {
  writeFileSync(join(folder, 'file.csv'), text);
  const faults = new InputFaults();
  const { delimiter = ',', nulls = [], extraCommasIn } = more;
  const file = { folder, name: 'file.csv', delimiter, nulls: new Set(nulls), extraCommasIn };
  const rows: Read[] = [];
  const needed = columns.map((name) => ({
    name,
    missing: () => {
      faults.add({ file: 'file.csv', reason: `no ${name}` });
    },
  }));
  for await (const row of new CsvReader(file, faults).rows(needed))
    rows.push({ line: row.line, texts: columns.map((name) => row.text(name)) });
  return { rows, faults: told(faults) };
}

describe('CSV', () => {
  const field = fc
    .string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', ' ', 'NULL', '5', '語', "'", ';') })
    .map((text) => text.trim());
  const columns = ['a', 'b', 'c'];
  const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  test('what was written comes back, with the line on which it began', async () => {
    const row = fc.tuple(field, field, field).filter((texts) => texts.some((text) => text !== ''));
    const rows = fc.array(row, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom('\n', '\r\n'), async (records, end) => {
        let line = 2;
        const expected = records.flatMap((texts): Read[] => {
          const at = line;
          line += 1 + texts.join('').split('\n').length - 1;
          const values = texts.map((text) => (text === '' || text === 'NULL' ? null : text));
          return [{ line: at, texts: values }];
        });
        const text = [columns, ...records].map((texts) => texts.map(quoted).join(',') + end).join('');
        expect(await readCsv(`\ufeff${text}`, columns, { nulls: ['NULL'] })).toEqual({
          rows: expected,
          faults: [],
        });
      }),
      { numRuns: 200 },
    );
  });

  test('surplus commas go where the mapping says', async () => {
    const piece = fc.string({ unit: fc.constantFrom('x', ' ', '4', 'é') });
    const address = fc.array(piece, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(','));
    await fc.assert(
      fc.asyncProperty(fc.array(address, { minLength: 1, maxLength: 8 }), async (addresses) => {
        const text = ['a,b,c', ...addresses.map((each) => `1,${each},3`)].join('\n');
        const { rows, faults } = await readCsv(text, ['b', 'c'], { extraCommasIn: 'b' });
        expect(faults).toEqual([]);
        expect(rows.map(({ texts }) => texts)).toEqual(addresses.map((each) => [each.trim() || null, '3']));
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    [
      'a,b\n1,2,3\n',
      [
        'file.csv:2: The row has 3 fields, the header 2. If one column has commas without quotes, name it in `extraCommasIn`.',
      ],
    ],
    ['a,b\n1\n1,2\n', ['file.csv:2: The row has 1 fields, the header 2.']],
    ['a,b\n1,2\n3,"open\n5,6\n', ['file.csv:4: A quote is opened and never closed.']],
    ['a,b\n1,x"y"\n', ['file.csv:2: A quote stands inside a field that does not begin with one.']],
    [
      'a,b\n1,"x"y\n',
      ['file.csv:2: After a closing quote comes neither the delimiter nor the end of the line.'],
    ],
    ['a,a\n1,2\n', ['file.csv:1: The column "a" is there twice.', 'file.csv: no b']],
    ['', ['file.csv:1: The file is empty; it needs a line with the columns.']],
    [Buffer.from('a,b\n1,caf\xe9\n', 'latin1'), ['file.csv:2: There are bytes that are not UTF-8.']],
  ])('%j is refused', async (text, faults) => {
    expect((await readCsv(text, ['a', 'b'])).faults).toEqual(faults);
  });

  test('other delimiters', async () => {
    const { rows } = await readCsv('a;b\n1,5;"x;y"\n', ['a', 'b'], { delimiter: ';' });
    expect(rows).toEqual([{ line: 2, texts: ['1,5', 'x;y'] }]);
  });
});

describe('values', () => {
  test('a decimal is moved exactly, or refused', () => {
    const decimal = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.integer({ min: 0, max: 6 }));
    fc.assert(
      fc.property(decimal, fc.boolean(), ([digits, places], negative) => {
        const text = String(digits).padStart(places + 1, '0');
        const written = places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
        const signed = negative ? -digits : digits;
        expect(shifted(`${negative ? '-' : ''}${written}`, places)).toBe(signed);
        expect(shifted(`${negative ? '-' : ''}${written}`, places + 2)).toBe(signed * 100n);
      }),
    );
    for (const text of ['', '.5', '1,5', '1e3', '0x1', '1 000', 'NaN', '--1'])
      expect(() => shifted(text, 2)).toThrow('no decimal number');
    expect(() => shifted('0.125', 2)).toThrow('more than 2 decimal places');
    expect(() => shifted('1.5', 0)).toThrow('no whole number');
  });

  test('a line’s total is rounded half up', () => {
    expect(lineTotal(12, 1400, 0)).toBe(16_800);
    expect(lineTotal(1, 5, 5_000)).toBe(3);
    expect(lineTotal(1, 5, 1_000)).toBe(5);
    expect(lineTotal(1, 1, 5_100)).toBe(0);
    expect(lineTotal(-1, 5, 5_000)).toBe(-2);
    expect(lineTotal(3, -7, 3_333)).toBe(-14);
    fc.assert(
      fc.property(fc.nat(10_000), fc.nat(1_000_000), fc.nat(10_000), (quantity, price, discount) => {
        const exact = (quantity * price * (10_000 - discount)) / 10_000;
        expect(lineTotal(quantity, price, discount)).toBe(Math.round(exact));
      }),
    );
  });

  test.each([
    [undefined, '1996-07-04', '1996-07-04T00:00:00.000Z'],
    [undefined, '1996-07-04 13:05', '1996-07-04T13:05:00.000Z'],
    [undefined, '1996-07-04T13:05:09.5+02:00', '1996-07-04T11:05:09.500Z'],
    [undefined, '1996-07-04T13:05:09.123456Z', '1996-07-04T13:05:09.123Z'],
    ['YYYY-MM-DD HH:mm:ss.SSS', '1996-07-04 00:00:00.007', '1996-07-04T00:00:00.007Z'],
    ['DD.MM.YYYY', '29.02.2024', '2024-02-29T00:00:00.000Z'],
    ['DD.MM.YYYY', '29.02.2023', undefined],
    ['DD.MM.YYYY', '2024-02-29', undefined],
    ['DD.MM.YYYY', '29x02x2024', undefined],
    [undefined, '2024-02-29T24:00', undefined],
    [undefined, '0099-02-28', undefined],
    [undefined, 'yesterday', undefined],
  ])('a time written %s: %s', (format, text, expected) => {
    const read = timeReader(format);
    if (expected === undefined) expect(() => read(text)).toThrow(/is no time/);
    else expect(read(text)).toBe(expected);
  });

  test('no two keys of several parts are one', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '/', '%', '2', 'F') });
    const key = fc.array(part, { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(key, key, (one, other) => {
        expect(keyOf(one) === keyOf(other)).toBe(one.join('\n') === other.join('\n'));
      }),
    );
  });
});

describe('a mapping', () => {
  const entities = importable();

  function faultsOf(text: string): string[] {
    const faults = new InputFaults();
    const file = MappingFile.parse('m.yaml', text, faults);
    if (file !== undefined) planOf(file, entities);
    return told(faults);
  }

  const order = (fields: string, more = ''): string => `source: s
entities:
  orders:
    file: orders.csv
    key: no
    fields:
      number: no
      customer: customer
      placedAt: at
      currency: { constant: EUR }
${fields}
${more}`;

  test('comes after what it refers to, whatever the order of writing', () => {
    expect([...entities.keys()].sort()).toEqual([
      'customers',
      'invoices',
      'order_lines',
      'orders',
      'payments',
      'products',
      'refunds',
      'stock_movements',
      'ticket_messages',
      'tickets',
    ]);
    const names = [...entities.keys()];
    for (const { name, fields } of entities.values()) {
      for (const { references } of fields.values())
        if (references !== undefined) expect(names.indexOf(references)).toBeLessThan(names.indexOf(name));
    }
  });

  test('whose data a row is follows from what it belongs to', () => {
    const owners = [...entities.values()].map(({ name, owner, inherited }) => [name, owner?.name, inherited]);
    expect(owners.filter(([, owner]) => owner !== undefined).sort()).toEqual([
      ['invoices', 'order', ['customerId', 'currency']],
      ['order_lines', 'order', ['customerId']],
      ['payments', 'invoice', ['customerId', 'currency']],
      ['refunds', 'payment', ['customerId', 'currency']],
      ['ticket_messages', 'ticket', ['customerId']],
    ]);
  });

  test('a good one has no fault', () => {
    expect(faultsOf(order('      status: { constant: placed }\n      total: total'))).toEqual([]);
  });

  test.each([
    ['', 'm.yaml:1: Invalid input: expected object, received null'],
    ['source: s\nsource: t\n', 'm.yaml:2: Map keys must be unique'],
    ['source: s\nentities: {}\nnulls: [NULL]\n', 'm.yaml:3: nulls.0: must be a text: put it in quotes'],
    [
      'source: s\ndates: MM/YYYY\nentities: {}',
      'm.yaml:2: dates: must be made of YYYY, MM, DD and, where there is a time of day, HH, mm, ss, SSS',
    ],
    [
      order('      status: status\n      total: total\n      totals: total'),
      'm.yaml:13: entities.orders.fields.totals: is no field; there are number, customer, status, placedAt, shippedAt, currency, total',
    ],
    [
      order('      total: total'),
      'm.yaml:6: entities.orders.fields: `status` is missing; it cannot be without a value',
    ],
    [
      order('      total: total\n      status: { constant: shiped }'),
      'm.yaml:12: entities.orders.fields.status: "shiped" is none of placed, packed, shipped, delivered, cancelled.',
    ],
    [
      order('      total: total\n      status: { present: at, then: shipped, else: shiped }'),
      'm.yaml:12: entities.orders.fields.status.else: "shiped" is none of placed, packed, shipped, delivered, cancelled.',
    ],
    [
      order('      total: total\n      status: { present: at, then: shipped }'),
      'm.yaml:12: entities.orders.fields.status: must have `then` and `else` where it has `present`, and only there',
    ],
    [
      order('      total: total\n      status: { column: a, constant: b }'),
      'm.yaml:12: entities.orders.fields.status: must have exactly one of column, columns, constant, text, join, present, compute',
    ],
    [
      order('      total: total\n      status: { colum: a }'),
      'm.yaml:12: entities.orders.fields.status.colum: is not known here',
    ],
    [
      order('      total: total\n      status: { column: a, lookup: states }'),
      'm.yaml:12: entities.orders.fields.status.lookup: is no lookup of this mapping',
    ],
    [
      order('      total: { compute: sum_of_lines }\n      status: status'),
      'm.yaml:11: entities.orders.fields.total: sum_of_lines needs order_lines in this mapping',
    ],
    [
      order('      total: { compute: line_total }\n      status: status'),
      'm.yaml:11: entities.orders.fields.total: line_total is for order_lines.total',
    ],
    [
      order('      total: { column: total, format: YYYY-MM-DD }\n      status: status'),
      'm.yaml:11: entities.orders.fields.total.format: is for times',
    ],
    [
      order(
        '      total: total\n      status: status',
        '  users:\n    file: users.csv\n    key: a\n    fields: {}',
      ),
      /^m.yaml:13: entities.users: is no table; there are customers, /,
    ],
    [
      order(
        '      total: total\n      status: status',
        '  payments:\n    file: p.csv\n    key: a\n    fields: { invoice: a, customer: b, amount: c, method: d, receivedAt: e }',
      ),
      'm.yaml:16: entities.payments.fields.customer: follows from `invoice`',
    ],
    [
      order('      total: total\n      status: status', 'lookups:\n  states: { file: a.csv }'),
      'm.yaml:14: lookups.states: must have either `values`, or `file`, `key` and `value`',
    ],
  ])('is refused with its line (%#)', (text, fault) => {
    expect(faultsOf(text)[0]).toEqual(typeof fault === 'string' ? fault : expect.stringMatching(fault));
  });
});

describe('a Markdown file', () => {
  const read = (text: string | Buffer, path = 'hr/time-off.md') => {
    const faults = new InputFaults();
    const read = readDocument(path, Buffer.from(text), faults);
    const document = read === 'empty' ? undefined : read;
    return { document, faults: told(faults) };
  };

  test.each([
    ['---\ntitle: Leave\nclassification: public\n---\n# Other\n', 'Leave', 'public'],
    ['---\r\ntitle: 401k\r\n---\r\nText', '401k', undefined],
    ['---\nkeywords: a, b\n---\n\n## The `first` *heading*\n', 'The first heading', undefined],
    ['---\ntitle:\n---\nText', 'Time off', undefined],
    ['\ufeff# Leave {% page "/x/" %}\n', 'Leave', undefined],
    ['```\n# code\n```\nText', 'Time off', undefined],
  ])('%j has its title and classification', (text, title, classification) => {
    const { document, faults } = read(text);
    expect(faults).toEqual([]);
    expect(document).toMatchObject({ title, classification });
  });

  test('what belongs to another program stays as it is', () => {
    const text = '---\ntitle: A\nredirect_to: /b/\n---\n{% include b.md %}\n<b>{{ site.name }}</b>';
    expect(read(text).document?.body).toBe(text);
  });

  test.each([
    [
      '---\ntitle: A\nclassification: secret\n---\n',
      'hr/time-off.md:3: classification: "secret" is no classification; it is one of the words public, internal, confidential, restricted.',
    ],
    ['---\ntitle: "A\n---\n', /^hr\/time-off.md:\d: front matter: /],
    [`---\ntitle: ${'long '.repeat(70)}\n---\n`, 'hr/time-off.md:2: `title` is longer than 300 characters.'],
    ['---\nnot closed: x\n', /^hr\/time-off.md:1: front matter: .* never closed/],
    [Buffer.from([0x61, 0x0a, 0xff]), 'hr/time-off.md:2: This is not UTF-8.'],
    ['a\nb\u0000', 'hr/time-off.md:2: U+0000 is a control character, which no text may have.'],
  ])('%j is refused', (text, fault) => {
    const { document, faults } = read(text);
    expect(document).toBeUndefined();
    expect(faults[0]).toEqual(typeof fault === 'string' ? fault : expect.stringMatching(fault));
  });
});

test('no more than fifty faults are told', () => {
  const faults = new InputFaults();
  const add = (): void => {
    for (let line = 1; line <= 60; line += 1) faults.add({ file: 'a.csv', line, reason: 'no' });
  };
  expect(add).toThrow(/^Nothing was imported: 50 faults; there may be more\.\na\.csv:1: no\n/);
});
