import { randomBytes } from 'node:crypto';
import type { CommandLine } from './command-line.js';
import { Company } from './company.js';
import { migratedDatabaseUrl, testDatabase } from './database.js';
import { everywhere } from './server.js';

const isMysql = testDatabase() === 'mariadb';
const folded = isMysql ? 'COLLATE utf8mb4_general_ci' : 'COLLATE NOCASE';

const statements = [
  `CREATE TABLE store (store_no INTEGER PRIMARY KEY, country VARCHAR(40) ${folded} NOT NULL)`,
  `CREATE TABLE rental (rental_no INTEGER PRIMARY KEY ${isMysql ? 'AUTO_INCREMENT' : ''}, store_no INTEGER NOT NULL,
     customer VARCHAR(40) NOT NULL DEFAULT 'nobody', returned VARCHAR(40), fee INTEGER NOT NULL, changes INTEGER NOT NULL DEFAULT 0, inner_note VARCHAR(20))`,
  "INSERT INTO store VALUES (1, 'Canada'), (2, 'Australia')",
  "INSERT INTO rental (rental_no, store_no, customer, returned, fee) VALUES (1, 1, 'Ann', NULL, 5), (2, 1, 'Bob', 'yesterday', 6), (3, 2, 'Cid', NULL, 7)",
];

const unbounded = 'unbounded: ["customer", "region", "collection", "classification", "person"]';
const read = '@scope(name: "rentals:read")';

export const rentalsSdl = `extend schema
  @defineDimension(name: "store", description: "The country of a store.")
  @defineScope(name: "rentals:read", description: "Read rentals.")

"A store."
type Store
  @table(name: "store", one: "store", many: "stores", order: { by: "country" })
  @query(one: "store", list: "stores")
  @rows(scope: "rentals:read", bounds: [{ dimension: "store", path: "country" }], ${unbounded}) {
  "Its id."
  id: ID! ${read}
  "Where it is."
  country: String! ${read}
}

"A rental."
type Rental
  @table(name: "rental", one: "rental", many: "rentals", order: { by: "number" })
  @query(one: "rental", list: "rentals")
  @rows(scope: "rentals:read", bounds: [{ dimension: "store", path: "store.country" }], ${unbounded}) {
  "Its id."
  id: ID! ${read}
  "Its number."
  number: Int! ${read} @column(name: "rental_no") @filter(by: EQUALS)
  "Who rents."
  customer: String! ${read}
  "When it came back."
  returned: String ${read}
  "The fee."
  fee: Int! ${read}
  "How often it has changed."
  version: String! ${read} @version(column: "changes")
  "The store."
  store: Store ${read} @reference(column: "store_no")
}
`;

export const inCountry = (...store: string[]) => ({ ...everywhere, store });

/** A company that rents things out: tables in a database of their own, and a folder with files. */
export class RentalCompany extends Company {
  private account: string | undefined;

  static async open(files: Readonly<Record<string, string>> = {}): Promise<RentalCompany> {
    const company = new RentalCompany(await migratedDatabaseUrl(), {
      'schema/rentals.graphql': rentalsSdl,
      ...files,
    });
    await company.run(...statements);
    return company;
  }

  /** On MariaDB, the database for an account with the grants that `behalf grants` prints, and these on rentals. */
  async grantedUrl(cli: CommandLine, onRentals: readonly string[]): Promise<string> {
    if (!isMysql) return this.fresh.url;
    const name = `rentals_${randomBytes(4).toString('hex')}`;
    const account = `'${name}'@'%'`;
    const printed = await cli.json<{ statements: string[] }>(['grants', this.folder, '--account', account]);
    this.account = account;
    await this.run(
      `CREATE USER ${account} IDENTIFIED BY 'secret'`,
      ...printed.statements,
      ...onRentals.map((right) => `GRANT ${right} ON rental TO ${account}`),
    );
    return Object.assign(new URL(this.fresh.url), { username: name, password: 'secret' }).href;
  }

  override async drop(): Promise<void> {
    if (this.account !== undefined) await this.run(`DROP USER IF EXISTS ${this.account}`);
    await super.drop();
  }
}
