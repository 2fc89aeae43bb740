import {
  classifications,
  collectionKeys,
  commonWord,
  documentsPerTopic,
  idOf,
  oracleVisible,
  oracleWords,
  regions,
  scatter,
  storedTime,
  topicWord,
} from './world.mjs';

const pick = (list, n, salt) => list[scatter(n, list.length, salt)];
const countries = {
  europe: ['Austria', 'Vienna'],
  'north-america': ['Canada', 'Toronto'],
  'asia-pacific': ['Japan', 'Osaka'],
  'latin-america': ['Chile', 'Santiago'],
};

function customer(n, { customers }) {
  const region = pick(regions, n, 1);
  const [country, city] = countries[region];
  return {
    id: idOf('CS', n),
    number: `C-${String(n).padStart(7, '0')}`,
    name: `${commonWord(scatter(n, 4_096, 2))} ${commonWord(scatter(n, 4_096, 3))} Trading`,
    region,
    country,
    city,
    contact_name: `Ada ${commonWord(scatter(n, 4_096, 4))}`,
    email: `office@customer-${n}.example`,
    phone: `+43 1 555 ${String(n).padStart(7, '0')}`,
    address: `${1 + scatter(n, 180, 5)} Mill Street, ${city}`,
    credit_limit_minor: (1 + scatter(n, 100, 6)) * 10_000,
    currency: 'EUR',
    created_at: storedTime(n / customers),
  };
}

const orderStatuses = ['placed', 'packed', 'shipped', 'delivered', 'cancelled'];

function order(n, { orders, customers }) {
  const status = pick(orderStatuses, n, 1);
  return {
    id: idOf('RD', n),
    number: `O-${String(n).padStart(8, '0')}`,
    customer_id: idOf('CS', scatter(n, customers, 2)),
    status,
    placed_at: storedTime(n / orders),
    shipped_at: status === 'shipped' || status === 'delivered' ? storedTime((n + 1) / orders) : null,
    currency: 'EUR',
    total_minor: 1_000 + scatter(n, 500_000, 3),
    version: 1,
  };
}

const product = (n, { categories }) => ({
  id: idOf('PR', n),
  sku: `S-${String(n).padStart(5, '0')}`,
  name: `Product ${n}`,
  category: `category ${n % categories}`,
  description: '',
  price_minor: 1_000,
  cost_minor: 500,
  currency: 'EUR',
  stock: 10,
  discontinued: 0,
  version: 1,
  created_at: storedTime(0),
});

function line(n, { lines, orders, customers, products }) {
  const order = Math.floor((n * orders) / lines);
  return {
    id: idOf('RN', n),
    order_id: idOf('RD', order),
    customer_id: idOf('CS', scatter(order, customers, 2)),
    product_id: idOf('PR', scatter(n, products, 7)),
    position: n % 3,
    quantity: 1 + scatter(n, 4, 8),
    unit_price_minor: 1_000,
    discount_basis_points: 0,
    total_minor: 1_000 + scatter(n, 50_000, 9),
  };
}

function ticket(n, { tickets, customers }) {
  return {
    id: idOf('TK', n),
    number: `T-${String(n).padStart(7, '0')}`,
    customer_id: idOf('CS', scatter(n, customers, 1)),
    order_id: null,
    subject: `About ${commonWord(scatter(n, 4_096, 2))} and ${commonWord(scatter(n, 4_096, 3))}`,
    category: pick(['question', 'delivery', 'billing', 'returns', 'fault'], n, 4),
    status: pick(['open', 'pending'], n, 5),
    priority: pick(['low', 'normal', 'high', 'urgent'], n, 6),
    created_at: storedTime(n / tickets),
    updated_at: storedTime(n / tickets),
    version: 1,
  };
}

const message = (n, world) => ({
  id: idOf('MS', n),
  ticket_id: idOf('TK', n),
  customer_id: ticket(n, world).customer_id,
  author: 'customer',
  author_name: 'Ada',
  internal: 0,
  body: 'It does not work as it did yesterday. What should we do?',
  created_at: storedTime(n / world.tickets),
});

const refund = (n, { customers }) => ({
  id: idOf('RF', n),
  payment_id: idOf('PM', n),
  customer_id: idOf('CS', scatter(n, customers, 1)),
  amount_minor: 100 + scatter(n, 10_000, 2),
  currency: 'EUR',
  reason: 'Arrived broken.',
  issued_at: storedTime(n / 200),
});

const collection = (n) => ({
  id: idOf('CL', n),
  key: collectionKeys[n],
  name: collectionKeys[n],
  description: '',
  created_at: storedTime(0),
});

const sentences = (n, salt, count) =>
  Array.from({ length: count }, (_, place) => commonWord(scatter(n * 100 + place, 2_000, salt))).join(' ');

function document(n, { documents }) {
  const topic = topicWord(Math.floor(n / documentsPerTopic));
  return {
    id: idOf('DC', n),
    collection: pick(collectionKeys, n, 1),
    title: `${sentences(n, 2, 4)} ${n}`,
    classification: pick(classifications, n, 3),
    body: [
      `## First steps\n\n${sentences(n, 4, 60)}.`,
      `## Rules\n\nOf ${topic}: ${sentences(n, 5, 60)}.`,
      `## Exceptions\n\n${sentences(n, 6, 60)}.`,
    ].join('\n\n'),
    version: 1,
    owner_id: null,
    owner_name: null,
    created_at: storedTime(n / documents),
    updated_at: storedTime(n / documents),
  };
}

/** Documents that no caller of the benchmark may see, and a few that all may, with the words of `oracleWords`. */
function* oracleDocuments({ hidden = 0, documents }) {
  const { shared, twin } = oracleWords;
  for (let n = 0; n < hidden + (hidden > 0 ? oracleVisible : 0); n += 1) {
    const isVisible = n < oracleVisible;
    const row = document(documents + n, { documents: documents + n + 1 });
    const body = `${shared}. ${isVisible ? `${twin}. ` : ''}${sentences(n, 7, 60)}.`;
    yield { ...row, classification: isVisible ? 'public' : 'restricted', body };
  }
}

function* documentRows(world) {
  yield* times(world.documents, document, world);
  yield* oracleDocuments(world);
}

/** Passages as the server's own code makes them: all servers look for the same words. */
async function* passages(world, { passagesOf, passageEdition }) {
  let made = 0;
  for (const { id, collection: key, classification, version, title, body } of documentRows(world)) {
    for (const passage of await passagesOf({ title, body })) {
      made += 1;
      yield {
        id: idOf('PS', made),
        document_id: id,
        collection: key,
        classification,
        version,
        title,
        // Passages of an older edition would be renewed beside what is measured.
        ...(passageEdition !== undefined && { edition: passageEdition }),
        ...passage,
      };
    }
  }
}

function* times(count, make, world) {
  for (let n = 0; n < count; n += 1) yield make(n, world);
}

/**
 * Every business and knowledge row of a world, table by table.
 * @param making the module of the measured build that makes passages
 */
export function businessRows(world, making) {
  return {
    customers: times(world.customers, customer, world),
    orders: times(world.orders, order, world),
    products: times(world.products ?? 0, product, world),
    order_lines: times(world.lines ?? 0, line, world),
    tickets: times(world.tickets, ticket, world),
    ticket_messages: times(world.tickets, message, world),
    refunds: times(200, refund, world),
    collections: times(collectionKeys.length, collection, world),
    documents: documentRows(world),
    passages: passages(world, making),
  };
}
