import DataLoader from 'dataloader';
import { paddedLength, searchStatement, statements, stored } from './statements.mjs';

/** What resolvers ask the database. One statement each, with the columns that the type has. */
export class Reads {
  constructor(store, wordsOf) {
    this.store = store;
    this.wordsOf = wordsOf;
    this.customers = new DataLoader((ids) => this.customersById(ids), { maxBatchSize: 1_024 });
  }

  one(sql, id) {
    const rows = this.store.all(sql, [id]);
    return Array.isArray(rows) ? rows[0] : rows.then((found) => found[0]);
  }

  async customersById(ids) {
    const padded = [...ids];
    padded.length = paddedLength(ids.length);
    const rows = await this.store.all(
      statements.customersById(padded.length),
      padded.fill(ids[0], ids.length),
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  async page(sql, parameters, first) {
    // One more tells whether there is a next page. As text, because MySQL takes no floating-point LIMIT.
    return pageOf(await this.store.all(sql, [...parameters, String(first + 1)]), first);
  }

  orders({ first, filter }) {
    return this.page(statements.orders, [stored(filter.placedBefore)], first);
  }

  ordersOf(customerId, { first }) {
    return this.page(statements.ordersOf, [customerId], first);
  }

  customersPage({ first, filter }) {
    return this.page(statements.customers, [stored(filter.createdBefore)], first);
  }

  refunds({ first }) {
    return this.page(statements.refunds, [], first);
  }

  async search({ query, first }) {
    const { dialect, all } = this.store;
    const words = this.wordsOf(query);
    const wanted = dialect === 'sqlite' ? words.map((word) => `"${word}"`).join(' OR ') : words.join(' ');
    return pageOf(await all(searchStatement[dialect], [wanted, String(first + 1)]), first);
  }
}

const pageOf = (rows, first) => {
  const hasNextPage = rows.length > first;
  return {
    nodes: hasNextPage ? rows.slice(0, first) : rows,
    pageInfo: { hasNextPage, hasPreviousPage: false },
  };
};
