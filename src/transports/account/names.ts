import { customersDocument, type Dimension } from './documents.js';
import type { Reader } from './parts.js';
import { OperationFailed } from './visitor.js';

/** How many customers' names one page looks up at most. Other customers are shown by their ids. */
const customersMax = 20;

/** The reader with the names of the customers in these boundaries, as far as the person may read them. */
export async function withNames(
  reader: Reader,
  rights: readonly { readonly boundary: readonly Dimension[] }[],
): Promise<Reader> {
  const { visitor, person, customerScopes } = reader;
  const values = rights
    .flatMap(({ boundary }) => boundary.filter(({ dimension }) => dimension === 'customer'))
    .flatMap((one) => one.values);
  const ids = [...new Set(values)].slice(0, customersMax);
  if (ids.length === 0 || customerScopes === undefined || !customerScopes.every(person.holds)) return reader;
  const variables = Object.fromEntries(ids.map((id, at) => [`c${String(at)}`, id]));
  const customers = await visitor.run(customersDocument(ids.length), variables).catch((error: unknown) => {
    // The person may not read some of the names, so the page shows ids.
    if (error instanceof OperationFailed) return {};
    throw error;
  });
  const names = Object.values(customers).flatMap((customer) =>
    customer === null ? [] : [[customer.id, `${customer.name} (${customer.number})`] as const],
  );
  return { ...reader, names: new Map(names) };
}
