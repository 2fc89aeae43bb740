import { makeExecutableSchema } from '@graphql-tools/schema';
import { GraphQLScalarType, parse, visit } from 'graphql';
import { Reads } from './reads.mjs';
import { reply } from './reply.mjs';
import { plainSdl } from './sdl.mjs';
import { iso, money, statements } from './statements.mjs';

/** Enum values stand in small letters in the tables. */
function enums(sdl) {
  const values = {};
  visit(parse(sdl), {
    EnumTypeDefinition: ({ name, values: listed }) => {
      values[name.value] = Object.fromEntries(
        listed.map((one) => [one.name.value, one.name.value.toLowerCase()]),
      );
    },
  });
  return values;
}

const DateTime = new GraphQLScalarType({ name: 'DateTime', serialize: iso });

/** The resolvers of every peer: what the workloads ask for, by the context that `contextOf` makes. */
const resolvers = {
  DateTime,
  Query: {
    document: (_root, { id }, { reads }) => reads.one(statements.document, id),
    ticket: (_root, { id }, { reads }) => reads.one(statements.ticket, id),
    customer: (_root, { id }, { reads }) => reads.one(statements.customer, id),
    orders: (_root, args, { reads }) => reads.orders(args),
    customers: (_root, args, { reads }) => reads.customersPage(args),
    refunds: (_root, args, { reads }) => reads.refunds(args),
    search: (_root, args, { reads }) => reads.search(args),
  },
  Mutation: {
    replyToTicket: (_root, args, { store, agentId }) => reply(store, args, agentId),
  },
  Ticket: { customer: ({ customerId }, _args, { reads }) => reads.customers.load(customerId) },
  Order: {
    customer: ({ customerId }, _args, { reads }) => reads.customers.load(customerId),
    total: ({ totalMinor, currency }) => money(totalMinor, currency),
  },
  Customer: {
    orders: ({ id }, args, { reads }) => reads.ordersOf(id, args),
    creditLimit: ({ creditLimitMinor, currency }) =>
      creditLimitMinor === null ? null : money(creditLimitMinor, currency),
  },
  Refund: { amount: ({ amountMinor, currency }) => money(amountMinor, currency) },
  SearchHit: {
    passage: (hit) => hit,
    citation: (hit) => hit,
  },
};

/** The schema that a peer serves; `sdl` where its fields carry a directive of its own. */
export const makeSchema = (sdl = plainSdl()) =>
  makeExecutableSchema({ typeDefs: sdl, resolvers: { ...enums(sdl), ...resolvers } });

/** What the resolvers of one request share. */
export const contextOf = ({ store, wordsOf }, agentId) => ({
  store,
  agentId,
  reads: new Reads(store, wordsOf),
});
