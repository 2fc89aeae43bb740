import { randomUUID } from 'node:crypto';
import { transports } from '../load/transports.mjs';
import { documentsPerTopic, idOf, scatter, storedTime, tokenOf, topicWord } from './world.mjs';

const iso = (stored) => `${stored.replace(' ', 'T')}Z`;
const byId = (rows, key) => [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));

/**
 * The operations. `variables` gives those of the nth request; `meaning` is the part of an answer in which all
 * servers must agree, everything unless said.
 */
const operations = {
  Point: {
    document:
      'query Point($id: ID!) { document(id: $id) { id title classification version updatedAt body } }',
    variables: (n, world) => ({ id: idOf('DC', scatter(n, world.documents)) }),
  },
  Ticket: {
    document: `query Ticket($id: ID!) {
      ticket(id: $id) {
        id number subject status priority category createdAt
        customer {
          id number name region country
          orders(first: 5) { nodes { id number status placedAt total { amount currency } } }
        }
      }
    }`,
    variables: (n, world) => ({ id: idOf('TK', scatter(n, world.tickets)) }),
    // Whether a ticket was answered meanwhile is no difference between servers.
    meaning: ({ ticket }) => ticket,
  },
  List100: {
    document: `query List100($before: DateTime!) {
      orders(first: 100, filter: { placedBefore: $before }) {
        nodes {
          id number status placedAt shippedAt version total { amount currency } customer { id name region }
        }
      }
    }`,
    variables: (n) => ({ before: iso(storedTime(0.1 + (0.9 * scatter(n, 500)) / 500)) }),
  },
  Names100: {
    document: `query Names100($before: DateTime!) {
      customers(first: 100, filter: { createdBefore: $before }, orderBy: { createdAt: DESC }) {
        nodes { id number name region country }
      }
    }`,
    variables: (n) => ({ before: iso(storedTime(0.1 + (0.9 * scatter(n, 500)) / 500)) }),
  },
  List1000: {
    document: `query List1000($before: DateTime!) {
      customers(first: 1000, filter: { createdBefore: $before }, orderBy: { createdAt: DESC }) {
        nodes { id number name region country city currency createdAt email phone }
      }
    }`,
    // At least 1,000 customers are earlier than each of these times.
    variables: (n) => ({ before: iso(storedTime(0.9 + (0.1 * scatter(n, 50)) / 50)) }),
  },
  Search: {
    document: `query Search($query: String!) {
      search(query: $query, first: 20) {
        nodes { passage { id position heading text } citation { documentId title version } }
      }
    }`,
    variables: (n, world) => ({ query: [1, 2].map((salt) => topic(n, world, salt)).join(' ') }),
    // In which order is for each server to say: peers do not rank.
    meaning: ({ search }) => byId(search.nodes, (node) => node.passage.id),
  },
  Reply: {
    document: `mutation Reply($ticketId: ID!, $body: String!, $key: String!) {
      replyToTicket(ticketId: $ticketId, body: $body, idempotencyKey: $key) {
        ticket { id status }
        message { id body author createdAt }
      }
    }`,
    variables: (n, world) => ({
      ticketId: idOf('TK', scatter(n, world.tickets)),
      body: 'Thank you for your patience. A technician comes by on Monday between eight and ten.',
      key: randomUUID(),
    }),
    meaning: ({ replyToTicket: { ticket, message } }) => ({
      ticket,
      message: { body: message.body, author: message.author },
    }),
  },
  CreditOfOne: {
    document: `query CreditOfOne($id: ID!) {
      customer(id: $id) { id name region creditLimit { amount currency } }
    }`,
    variables: (n, world) => ({ id: idOf('CS', scatter(n, world.customers)) }),
  },
  CreditOfMany: {
    document: `query CreditOfMany($before: DateTime!) {
      customers(first: 100, filter: { createdBefore: $before }, orderBy: { createdAt: DESC }) {
        nodes { id number name creditLimit { amount currency } }
      }
    }`,
    variables: (n) => ({ before: iso(storedTime(0.1 + (0.9 * scatter(n, 500)) / 500)) }),
  },
  Refunds: {
    document:
      'query Refunds { refunds(first: 5) { nodes { id amount { amount currency } reason issuedAt } } }',
    variables: () => ({}),
  },
};

const topic = (n, world, salt) =>
  topicWord(scatter(n, Math.floor(world.documents / documentsPerTopic), salt));

const refusable = { field: 'CreditOfOne', list: 'CreditOfMany', root: 'Refunds', mutation: 'Reply' };
const alike = (names) => Object.fromEntries(names.map((name) => [name, 1]));

const refusals = (prefix, rights, expects) => ({
  [prefix]: { operations: alike(Object.values(refusable)), rights, expects },
  ...Object.fromEntries(
    Object.entries(refusable).map(([part, name]) => [
      `${prefix}-${part}`,
      { operations: alike([name]), rights, expects },
    ]),
  ),
});

/**
 * What is asked how often, with which rights, and whether an answer has data alone or errors. `longer` is how many times
 * as long it is measured: slow operations need it to be as many, and engines to be warm.
 */
export const workloads = {
  point: { operations: { Point: 1 }, rights: 'full', expects: 'data' },
  ticket: { operations: { Ticket: 1 }, rights: 'full', expects: 'data' },
  list100: { operations: { List100: 1 }, rights: 'full', expects: 'data' },
  names100: { operations: { Names100: 1 }, rights: 'full', expects: 'data' },
  list1000: { operations: { List1000: 1 }, rights: 'full', expects: 'data', longer: 3 },
  search: { operations: { Search: 1 }, rights: 'full', expects: 'data' },
  mutation: { operations: { Reply: 1 }, rights: 'full', expects: 'data' },
  mix: {
    operations: { Point: 40, Ticket: 25, List100: 12, List1000: 3, Search: 12, Reply: 8 },
    rights: 'full',
    expects: 'data',
    everyAgent: true,
  },
  ...refusals('refused', 'narrow', 'errors'),
  // The operations of `refused`, by who may do them: what a refusal is compared with.
  ...refusals('allowed', 'full', 'data'),
};

/** Those of `mcp`: of `list100` a tool shows as much as fits into its result, of `names100` everything. */
export const mcpWorkloads = ['point', 'ticket', 'list100', 'names100', 'search'];

/** Those of a usual run; the others tell the parts of `refused` and `allowed`. */
export const usualWorkloads = [
  'point',
  'ticket',
  'list100',
  'list1000',
  'search',
  'mutation',
  'mix',
  'refused',
  'allowed',
];

/** The operations of a workload in the proportions that it asks for, well shuffled. */
function deckOf(name) {
  const deck = Object.entries(workloads[name].operations).flatMap(([operation, times]) =>
    Array.from({ length: times }, () => operation),
  );
  return deck.map((operation, at) => ({ operation, at: scatter(at, 1 << 20) })).sort((a, b) => a.at - b.at);
}

/** Agents of the workloads that are not about many agents: one for each connection. */
const fewAgents = 32;

/**
 * The nth request of a workload: the same on every server, but for the key of a mutation. `meaning` reads an
 * answer's data.
 */
export function requestsOf(name, world, transport = 'graphql') {
  const { rights, everyAgent } = workloads[name];
  const deck = deckOf(name);
  const agents = everyAgent ? world.agents : Math.min(fewAgents, world.agents);
  const documents = Object.fromEntries(
    Object.entries(operations).map(([key, { document }]) => [key, document.replace(/\s+/g, ' ')]),
  );
  const { path, headersOf, bodyOf } = transports[transport];
  return (n) => {
    const { operation } = deck[n % deck.length];
    const variables = operations[operation].variables(n, world);
    const asked = { operationName: operation, query: documents[operation], variables };
    return {
      token: tokenOf(rights, scatter(n, agents, 9), path),
      path,
      headers: headersOf(asked),
      body: bodyOf(asked),
      meaning: operations[operation].meaning ?? ((data) => data),
    };
  };
}

/** One request of each agent, so that a measurement does not begin with everybody's first. */
export const firstRequests = (name, world, transport) => {
  const { rights, everyAgent } = workloads[name];
  const request = requestsOf('point', world, transport);
  return Array.from({ length: everyAgent ? world.agents : 0 }, (_, agent) => {
    const asked = request(agent);
    return { ...asked, token: tokenOf(rights, agent, asked.path) };
  });
};
