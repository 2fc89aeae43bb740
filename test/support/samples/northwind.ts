import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { dataFolder, type Sample } from './sample.js';

/** The columns after the name of the file, in the order of the file. */
const tables: readonly (readonly [table: string, file: string, columns: string])[] = [
  ['regions', 'regions', 'regionID INTEGER PRIMARY KEY, regionDescription VARCHAR(80) NOT NULL'],
  [
    'territories',
    'territories',
    'territoryID VARCHAR(80) NOT NULL PRIMARY KEY, territoryDescription VARCHAR(80) NOT NULL, regionID INTEGER NOT NULL REFERENCES regions',
  ],
  [
    'categories',
    'categories',
    'categoryID INTEGER PRIMARY KEY, categoryName VARCHAR(80) NOT NULL, description TEXT, picture TEXT',
  ],
  [
    'suppliers',
    'suppliers',
    `supplierID INTEGER PRIMARY KEY, companyName VARCHAR(80) NOT NULL, contactName VARCHAR(80), contactTitle VARCHAR(80), address VARCHAR(80),
     city VARCHAR(80), region VARCHAR(80), postalCode VARCHAR(80), country VARCHAR(80), phone VARCHAR(80), fax VARCHAR(80), homePage TEXT`,
  ],
  [
    'shippers',
    'shippers',
    'shipperID INTEGER PRIMARY KEY, companyName VARCHAR(80) NOT NULL, phone VARCHAR(80)',
  ],
  [
    'products',
    'products',
    `productID INTEGER PRIMARY KEY, productName VARCHAR(80) NOT NULL, supplierID INTEGER REFERENCES suppliers, categoryID INTEGER REFERENCES categories,
     quantityPerUnit VARCHAR(80), unitPrice DECIMAL(10,2), unitsInStock INTEGER, unitsOnOrder INTEGER, reorderLevel INTEGER, discontinued BOOLEAN NOT NULL`,
  ],
  [
    'employees',
    'employees',
    `employeeID INTEGER PRIMARY KEY, lastName VARCHAR(80) NOT NULL, firstName VARCHAR(80) NOT NULL, title VARCHAR(80), titleOfCourtesy VARCHAR(80),
     birthDate DATETIME, hireDate DATETIME, address VARCHAR(80), city VARCHAR(80), region VARCHAR(80), postalCode VARCHAR(80), country VARCHAR(80),
     homePhone VARCHAR(80), extension VARCHAR(80), photo TEXT, notes TEXT, reportsTo INTEGER REFERENCES employees, photoPath TEXT`,
  ],
  [
    'employee territories',
    'employee-territories',
    'employeeID INTEGER NOT NULL REFERENCES employees, territoryID VARCHAR(80) NOT NULL REFERENCES territories, PRIMARY KEY (employeeID, territoryID)',
  ],
  [
    'customers',
    'customers',
    `customerID VARCHAR(5) NOT NULL PRIMARY KEY, companyName VARCHAR(80) NOT NULL, contactName VARCHAR(80), contactTitle VARCHAR(80), address VARCHAR(80),
     city VARCHAR(80), region VARCHAR(80), postalCode VARCHAR(80), country VARCHAR(80), phone VARCHAR(80), fax VARCHAR(80)`,
  ],
  [
    'orders',
    'orders',
    `orderID INTEGER PRIMARY KEY, customerID VARCHAR(5) REFERENCES customers, employeeID INTEGER REFERENCES employees, orderDate DATETIME, requiredDate DATETIME,
     shippedDate DATETIME, shipVia INTEGER REFERENCES shippers, freight DECIMAL(10,2), shipName VARCHAR(80), shipAddress VARCHAR(80), shipCity VARCHAR(80),
     shipRegion VARCHAR(80), shipPostalCode VARCHAR(80), shipCountry VARCHAR(80)`,
  ],
  [
    'order details',
    'order-details',
    `orderID INTEGER NOT NULL REFERENCES orders, productID INTEGER NOT NULL REFERENCES products, unitPrice DECIMAL(10,2) NOT NULL, quantity INTEGER NOT NULL,
     discount REAL NOT NULL, PRIMARY KEY (orderID, productID)`,
  ],
];

const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** In portions, so that no statement is too long. */
function statements(): string[] {
  return tables.flatMap(([table, file, columns]) => {
    const text = readFileSync(join(dataFolder, 'northwind', `${file}.csv`), 'utf8');
    // Some suppliers have a comma that no quotes enclose.
    const [head = [], ...rows] = parse(text, { relax_column_count: true });
    const values = rows.map(
      (row) =>
        `(${row
          .slice(0, head.length)
          .map((value) => (value === 'NULL' ? 'NULL' : quoted(value)))
          .join(', ')})`,
    );
    const into = `INSERT INTO \`${table}\` (${head.join(', ')}) VALUES `;
    const portions = Array.from({ length: Math.ceil(values.length / 200) }, (_, at) =>
      values.slice(at * 200, (at + 1) * 200),
    );
    return [
      `CREATE TABLE \`${table}\` (${columns})`,
      ...portions.map((portion) => into + portion.join(', ')),
    ];
  });
}

const ofCustomer = (column: string, from: string, isIn: (column: string) => string): string =>
  `EXISTS (SELECT 1 FROM customers c WHERE c.customerID = ${from} AND ${isIn(`c.${column}`)})`;
const ofOrder = (column: string, isIn: (column: string) => string): string =>
  `EXISTS (SELECT 1 FROM orders o JOIN customers c ON c.customerID = o.customerID WHERE o.orderID = t.orderID AND ${isIn(`c.${column}`)})`;

/** Northwind Traders, in SQLite. */
export const northwind: Sample = {
  name: 'northwind',
  statements,
  dimensions: {
    country: 'SELECT DISTINCT country AS v FROM customers',
    customer: 'SELECT customerID AS v FROM customers',
  },
  bounds: {
    customers: {
      customer: { path: 'customerID', sql: (isIn) => isIn('t.customerID') },
      country: { path: 'country', sql: (isIn) => isIn('t.country') },
    },
    orders: {
      customer: { path: 'customerID', sql: (isIn) => isIn('t.customerID') },
      country: { path: 'customer.country', sql: (isIn) => ofCustomer('country', 't.customerID', isIn) },
    },
    'order details': {
      customer: { path: 'order.customerID', sql: (isIn) => ofOrder('customerID', isIn) },
      country: { path: 'order.customer.country', sql: (isIn) => ofOrder('country', isIn) },
    },
    suppliers: { country: { path: 'country', sql: (isIn) => isIn('t.country') } },
    employees: { country: { path: 'country', sql: (isIn) => isIn('t.country') } },
  },
  filters: {
    'customers.companyName': ['EQUALS', 'ONE_OF', 'STARTS_WITH'],
    'customers.city': ['EQUALS', 'ONE_OF'],
    'customers.country': ['EQUALS', 'ONE_OF', 'STARTS_WITH'],
    'orders.orderDate': ['EQUALS', 'ONE_OF'],
    'orders.shipCountry': ['EQUALS', 'ONE_OF', 'STARTS_WITH'],
    'products.productName': ['EQUALS', 'STARTS_WITH'],
    'products.unitsInStock': ['EQUALS', 'ONE_OF', 'AT_LEAST', 'AT_MOST'],
    'order details.quantity': ['EQUALS', 'ONE_OF', 'AT_LEAST', 'AT_MOST'],
    'territories.territoryDescription': ['EQUALS', 'STARTS_WITH'],
  },
  sorted: [
    ...[
      'customers.companyName',
      'customers.city',
      'customers.region',
      'orders.orderDate',
      'orders.shippedDate',
    ],
    ...['orders.shipRegion', 'products.productName', 'products.unitsInStock', 'order details.quantity'],
    ...['territories.territoryDescription', 'suppliers.region', 'employees.hireDate'],
  ],
  written: 'orders.shipCity',
};
