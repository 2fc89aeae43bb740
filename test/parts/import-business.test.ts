// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InputRefused } from '../../src/operator/input-faults.js';
import { CommandError } from '../../src/core/command-error.js';
import {
  customers,
  invoices,
  orderLines,
  orders,
  payments,
  products,
  tickets,
} from '../../src/domains/business/tables.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { users } from '../../src/store/tables/identity.js';
import { Files } from '../support/files.js';
import { contents, everything, importFiles } from '../support/importing.js';
import { recordsOf } from '../support/records.js';
import { TestServer, type PersonFixture } from '../support/server.js';

/** A small chandlery: quotes, commas where they should not be, and values that are not there. */
const company = {
  'customers.csv': `id,name,land,street,mail,since
C1,"Baker & Sons, Ltd",NL,"12 ""Quay"" Street",info@baker.example,2023-05-01
C2,Costa Brava,ES,Calle Mayor 4, 2nd floor,-,2023-06-15
C3,Dune,NL,,NULL,2024-01-02
`,
  'regions.csv': 'land,region\nNL,europe\nES,europe\n',
  'items.csv': `sku,name,group,price,stock,gone
R-10,Rope 10 m,rope,12.50,100,no
A-1,"Anchor, small",anchors,80,7,no
L-3,Lantern,light,33.335,0,yes
`.replace('33.335', '33.33'),
  'orders.csv': `no,customer,at,sent
1,C1,02.03.2024,05.03.2024
2,C2,03.03.2024,
3,C1,04.03.2024,
`,
  'lines.csv': `no,item,quantity,price,rebate
1,R-10,3,12.50,0
1,A-1,1,80.00,0.15
2,L-3,7,33.33,0.05
`,
  'bills.csv': `bill,no,state,issued,due,amount,paid
B1,1,paid,2024-03-05T10:00:00Z,2024-04-04,105.50,105.50
`,
  'receipts.csv': 'bill,part,amount,how,at\nB1,1,100.00,transfer,2024-03-20\nB1,2,5.50,cash,2024-03-21\n',
  'tickets.csv': `id,customer,order,subject,opened
T1,C1,1,"The rope is ""short""",2024-03-25T08:00:00Z
T2,C3,,Where are you?,2024-03-26T08:00:00Z
`,
  'mapping.yaml': `source: chandlery
nulls: ['-', 'NULL']
lookups:
  regions: { file: regions.csv, key: land, value: region }
  countries:
    values: { NL: Netherlands }
    default: Elsewhere
entities:
  customers:
    file: customers.csv
    extraCommasIn: street
    key: id
    fields:
      number: id
      name: name
      region: { column: land, lookup: regions }
      country: { column: land, lookup: countries }
      email: mail
      address: { join: [street, land], with: ', ' }
      currency: { constant: EUR }
      createdAt: since
  products:
    file: items.csv
    key: sku
    fields:
      sku: sku
      name: name
      category: group
      description: { text: '{name} ({group})' }
      price: price
      currency: { constant: EUR }
      stock: stock
      discontinued: gone
      createdAt: { constant: '2020-01-01' }
  orders:
    file: orders.csv
    key: no
    fields:
      number: { text: 'CH-{no}' }
      customer: customer
      status: { present: sent, then: shipped, else: placed }
      placedAt: { column: at, format: DD.MM.YYYY }
      shippedAt: { column: sent, format: DD.MM.YYYY }
      currency: { constant: EUR }
      total: { compute: sum_of_lines }
  order_lines:
    file: lines.csv
    key: [no, item]
    fields:
      order: no
      product: item
      position: { compute: position }
      quantity: quantity
      unitPrice: price
      discountBasisPoints: { column: rebate, shift: 4 }
      total: { compute: line_total }
  invoices:
    file: bills.csv
    key: bill
    fields:
      number: bill
      order: no
      status: state
      issuedAt: issued
      dueAt: due
      amount: amount
      paid: paid
  payments:
    file: receipts.csv
    key: [bill, part]
    fields: { invoice: bill, amount: amount, method: how, receivedAt: at }
  tickets:
    file: tickets.csv
    key: id
    fields:
      number: id
      customer: customer
      order: order
      subject: subject
      category: { constant: question }
      status: { constant: open }
      priority: { constant: normal }
      createdAt: opened
      updatedAt: opened
`,
};
type FileName = keyof typeof company;

const zero = { created: 0, updated: 0, unchanged: 0, vanished: 0 };

let server: TestServer;
let person: PersonFixture;
let files: Files;

const run = (more: { dryRun?: boolean; as?: string } = { as: person.name }) =>
  importFiles(server, files.folder, { mapping: files.path('mapping.yaml'), ...more });

/** With one text of one file replaced. */
async function changed<T>(file: FileName, from: string, to: string, work: () => Promise<T>): Promise<T> {
  expect(company[file]).toContain(from);
  files.write(
    file,
    company[file].replace(from, () => to),
  );
  try {
    return await work();
  } finally {
    files.write(file, company[file]);
  }
}

beforeAll(async () => {
  server = await TestServer.start();
  person = await server.person({ scopes: [] });
  files = new Files(company);
});
afterAll(async () => {
  files.remove();
  await server.stop();
});

describe('the first time', () => {
  test('a dry run tells what would be done, and leaves nothing', async () => {
    const before = await everything(server);
    const report = await run({ dryRun: true });
    expect(report).toMatchObject({ source: 'chandlery', operationId: null });
    expect(report.entities.orders).toEqual({ ...zero, created: 3 });
    expect(await everything(server)).toEqual(before);
  });

  test('every row arrives, and the record names person, operator, source and rows', async () => {
    const report = await run();
    expect(report.entities).toEqual({
      customers: { ...zero, created: 3 },
      products: { ...zero, created: 3 },
      orders: { ...zero, created: 3 },
      order_lines: { ...zero, created: 3 },
      invoices: { ...zero, created: 1 },
      payments: { ...zero, created: 2 },
      tickets: { ...zero, created: 2 },
    });
    const [record] = await recordsOf(server.database, 'command');
    expect(record).toMatchObject({
      operationId: report.operationId,
      outcome: 'succeeded',
      chain: { person: { id: person.id, name: person.name }, agents: [] },
      operation: { name: 'import business' },
      rowCount: 17,
      detail: { operator: expect.any(String), source: 'chandlery', counts: report.entities },
    });
    expect(record?.resources.map(({ type, action, count }) => [type, action, count])).toContainEqual([
      'OrderLine',
      'create',
      3,
    ]);
  });

  test('quotes, surplus commas, lookups and missing values are read as meant', async () => {
    const rows = await server.database.read.select(customers, all(), {
      order: [{ column: 'number', direction: 'asc' }],
    });
    expect(rows).toMatchObject([
      {
        number: 'C1',
        name: 'Baker & Sons, Ltd',
        country: 'Netherlands',
        region: 'europe',
        address: '12 "Quay" Street, NL',
        email: 'info@baker.example',
        phone: null,
        creditLimitMinor: null,
        createdAt: '2023-05-01T00:00:00.000Z',
      },
      { number: 'C2', country: 'Elsewhere', address: 'Calle Mayor 4, 2nd floor, ES', email: null },
      { number: 'C3', address: 'NL', email: null },
    ]);
  });

  test('money, totals, positions, statuses and times are exact', async () => {
    const { read } = server.database;
    const order = [{ column: 'number', direction: 'asc' }] as const;
    expect(await read.select(orders, all(), { order })).toMatchObject([
      {
        number: 'CH-1',
        status: 'shipped',
        totalMinor: 3 * 1250 + 6800,
        shippedAt: '2024-03-05T00:00:00.000Z',
      },
      { number: 'CH-2', status: 'placed', totalMinor: 22_164, shippedAt: null },
      { number: 'CH-3', status: 'placed', totalMinor: 0, version: 1 },
    ]);
    const lines = await read.select(orderLines, all(), {
      order: [
        { column: 'orderId', direction: 'asc' },
        { column: 'position', direction: 'asc' },
      ],
    });
    expect(lines.map((row) => [row.position, row.quantity, row.discountBasisPoints, row.totalMinor])).toEqual(
      [
        [1, 3, 0, 3750],
        [2, 1, 1500, 6800],
        [1, 7, 500, 22_164],
      ],
    );
    expect(await read.one(products, eq('sku', 'L-3'))).toMatchObject({
      priceMinor: 3333,
      discontinued: true,
      stock: 0,
      description: 'Lantern (light)',
      costMinor: null,
    });
  });

  test('what belongs to a row has its customer and currency', async () => {
    const { read } = server.database;
    const customer = await read.one(customers, eq('number', 'C1'));
    const order = await read.one(orders, eq('number', 'CH-1'));
    const mine = { customerId: customer?.id };
    expect(await read.select(orderLines, eq('orderId', order?.id))).toMatchObject([mine, mine]);
    const [invoice] = await read.select(invoices, all());
    expect(invoice).toMatchObject({ ...mine, orderId: order?.id, currency: 'EUR', amountMinor: 10_550 });
    expect(await read.select(payments, all())).toMatchObject(
      [10_000, 550].map((amountMinor) => ({ ...mine, invoiceId: invoice?.id, currency: 'EUR', amountMinor })),
    );
    expect(await read.select(tickets, eq('number', 'T2'))).toMatchObject([{ orderId: null }]);
  });
});

describe('again', () => {
  test('nothing changes when nothing has changed', async () => {
    const before = await contents(server);
    const { entities } = await run();
    expect(entities.order_lines).toEqual({ ...zero, unchanged: 3 });
    expect(Object.values(entities).every(({ created, updated }) => created + updated === 0)).toBe(true);
    expect(await contents(server)).toEqual(before);
  });

  test('only what has changed is updated, with what follows from it, and moves its version', async () => {
    const before = await server.database.read.select(orders, all());
    const { entities } = await changed('lines.csv', '3,12.50', '4,12.50', () => run());
    expect(entities).toMatchObject({
      orders: { ...zero, updated: 1, unchanged: 2 },
      order_lines: { ...zero, updated: 1, unchanged: 2 },
      products: { ...zero, unchanged: 3 },
    });
    const after = await server.database.read.select(orders, all());
    expect(after).toEqual(
      before.map((row) =>
        row.number === 'CH-1' ? { ...row, totalMinor: 4 * 1250 + 6800, version: 2 } : row,
      ),
    );
    await run();
  });

  test('what the mapping leaves out is left alone', async () => {
    await server.database.transaction((tx) =>
      tx.update(customers, eq('number', 'C3'), { phone: '0123', city: 'Hoorn' }),
    );
    expect((await changed('customers.csv', 'Dune', 'Dunes', () => run())).entities.customers).toMatchObject({
      updated: 1,
    });
    expect(await server.database.read.one(customers, eq('number', 'C3'))).toMatchObject({
      name: 'Dunes',
      phone: '0123',
      city: 'Hoorn',
    });
    await run();
  });

  test('what is gone from the files is reported, and stays', async () => {
    const before = await contents(server);
    const report = await changed('tickets.csv', 'T2,C3,,Where are you?,2024-03-26T08:00:00Z\n', '', () =>
      run(),
    );
    expect(report.entities.tickets).toEqual({ ...zero, unchanged: 1, vanished: 1 });
    expect(await contents(server)).toEqual(before);
  });
});

describe('nothing at all is changed', () => {
  const refusal = async (work: () => Promise<unknown>): Promise<string[]> => {
    const before = await everything(server);
    const error: unknown = await work().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(InputRefused);
    expect(await everything(server)).toEqual(before);
    return (error as InputRefused).message.split('\n').slice(1);
  };

  test.each<[FileName, string, string, string[]]>([
    [
      'customers.csv',
      'C3,Dune,NL',
      'C3,Dune,FR',
      ['customers.csv:4: land: "FR" is not in the lookup regions.'],
    ],
    [
      'customers.csv',
      'Costa Brava,ES',
      'Costa Brava',
      ['customers.csv:3: land: "Calle Mayor 4" is not in the lookup regions.'],
    ],
    [
      'customers.csv',
      '2024-01-02',
      '2024-02-30',
      ['customers.csv:4: since: "2024-02-30" is no time of the calendar.'],
    ],
    ['customers.csv', 'C3,Dune', 'C1,Dune', ['customers.csv:4: id: "C1" is there twice, first in line 2.']],
    ['customers.csv', 'C3,Dune', ',Dune', ['customers.csv:4: id: The row has no key.']],
    ['customers.csv', 'C3,Dune', 'C3,-', ['customers.csv:4: name: `name` cannot be without a value.']],
    [
      'customers.csv',
      'C3,Dune',
      `C3,${'Dune'.repeat(51)}`,
      ['customers.csv:4: name: `name` is longer than 200 characters.'],
    ],
    ['items.csv', '12.50', '12.505', ['items.csv:2: price: 12.505 has more than 2 decimal places.']],
    [
      'items.csv',
      ',100,no',
      ',1e2,maybe',
      [
        'items.csv:2: stock: "1e2" is no decimal number, such as 12.',
        'items.csv:2: gone: "maybe" is neither true nor false, 1 nor 0, yes nor no.',
      ],
    ],
    [
      'items.csv',
      'R-10,Rope 10 m,rope',
      'R-10,"Rope" 10 m,rope',
      ['items.csv:2: After a closing quote comes neither the delimiter nor the end of the line.'],
    ],
    ['orders.csv', '2,C2', '2,C9', ['orders.csv:3: customer: No row of customers has the key "C9".']],
    [
      'orders.csv',
      '3,C1,04.03.2024',
      '3,C1,2024-03-04',
      ['orders.csv:4: at: "2024-03-04" is no time written DD.MM.YYYY.'],
    ],
    [
      'lines.csv',
      '0.15',
      '15',
      ['lines.csv:3: rebate: A discount lies between 0 and 10000 basis points, not 150000.'],
    ],
    ['lines.csv', 'A-1,1', 'A-1,9999999999', ['lines.csv:3: quantity: 9999999999 is too large.']],
    [
      'bills.csv',
      'paid,2024',
      'settled,2024',
      ['bills.csv:2: state: "settled" is none of open, paid, void.'],
    ],
    ['tickets.csv', 'T1,C1,1', 'T1,C2,1', ['tickets.csv:2: order: `order` names a row of another customer.']],
    [
      'regions.csv',
      'ES,',
      'NL,',
      [
        'regions.csv:3: land: "NL" is there twice.',
        'customers.csv:3: land: "ES" is not in the lookup regions.',
      ],
    ],
    [
      'mapping.yaml',
      'column: rebate',
      'column: discount',
      [
        'mapping.yaml:55: entities.order_lines.fields.discountBasisPoints: lines.csv has no column "discount"; it has "no", "item", "quantity", "price", "rebate"',
      ],
    ],
    ['mapping.yaml', 'file: bills.csv', 'file: missing.csv', ['missing.csv: There is no such file.']],
    [
      'mapping.yaml',
      'key: land,',
      'key: country,',
      ['mapping.yaml:4: lookups.regions.key: regions.csv has no column "country"'],
    ],
    [
      'mapping.yaml',
      '    extraCommasIn: street\n',
      '',
      [
        'customers.csv:3: The row has 7 fields, the header 6. If one column has commas without quotes, name it in `extraCommasIn`.',
      ],
    ],
  ])('over a fault in %s: %j → %j', async (file, from, to, expected) => {
    const told = await refusal(() => changed(file, from, to, () => run()));
    expect(told.slice(0, expected.length)).toEqual(expected);
    // What hangs on a row that was told of is not told of again.
    if (file.endsWith('.csv') && file !== 'regions.csv') expect(told).toHaveLength(expected.length);
  });

  test('over a row that would leave its customer or its currency', async () => {
    expect(await refusal(() => changed('orders.csv', '1,C1', '1,C2', () => run()))).toContain(
      'orders.csv:2: no: The row is there with another customer; that cannot change.',
    );
    const dollars = 'shippedAt: { column: sent, format: DD.MM.YYYY }\n      currency: { constant: EUR }';
    const told = await refusal(() =>
      changed('mapping.yaml', dollars, dollars.replace('EUR', 'USD'), () => run()),
    );
    expect(told[0]).toBe('orders.csv:2: no: The row is there with another currency; that cannot change.');
  });

  test('over a number that a row of another source has', async () => {
    const told = await refusal(() =>
      changed('mapping.yaml', 'source: chandlery', 'source: other', () => run()),
    );
    expect(told).toContain('customers.csv:2: id: "C1" is taken by a row that this source did not bring.');
  });

  test('without a person who answers for it', async () => {
    const before = await everything(server);
    const disabled = await server.person({ scopes: [] });
    await server.database.transaction((tx) =>
      tx.update(users, eq('id', disabled.id), { status: 'disabled' }),
    );
    for (const as of [undefined, 'nobody', disabled.name])
      await expect(run(as === undefined ? {} : { as })).rejects.toBeInstanceOf(CommandError);
    expect(await everything(server)).toEqual(before);
  });

  test('when the database refuses in the midst of writing', async () => {
    const before = await contents(server);
    // Two numbers change places: in the end they would be unique, but not on the way there.
    const mapping = company['mapping.yaml'].replace(
      'number: id\n      customer',
      'number: subject\n      customer',
    );
    files.write('mapping.yaml', mapping);
    files.write(
      'tickets.csv',
      company['tickets.csv'].replace('"The rope is ""short"""', 'T2').replace('Where are you?', 'T1'),
    );
    files.write('customers.csv', company['customers.csv'].replace('Dune', 'Other'));
    try {
      await expect(run()).rejects.toMatchObject({ code: 'CONFLICT' });
    } finally {
      for (const name of ['mapping.yaml', 'tickets.csv', 'customers.csv'] as const)
        files.write(name, company[name]);
    }
    expect(await contents(server)).toEqual(before);
    expect((await recordsOf(server.database, 'command')).at(-1)).toMatchObject({
      outcome: 'failed',
      errors: [{ code: 'CONFLICT' }],
      resources: [],
    });
  });
});
