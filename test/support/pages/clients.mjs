// Runs in a browser, on a page of another origin: GraphQL clients with the options that they have by default.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { Client, cacheExchange, fetchExchange } from '@urql/core';
import { agentClient } from 'behalf/client';

const digest = async (text) => {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
};

/** Each client as `ask`, which gives data or a list of error codes. */
const clients = {
  urql({ url, token }) {
    const client = new Client({
      ...{ url, exchanges: [cacheExchange, fetchExchange] },
      fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    });
    return async ({ text, variables }) => {
      const kind = text.startsWith('mutation') ? 'mutation' : 'query';
      const { data, error } = await client[kind](text, variables).toPromise();
      return { data, codes: error?.graphQLErrors.map(({ extensions }) => extensions.code) ?? [] };
    };
  },
  apollo({ url, token }) {
    const headers = { authorization: `Bearer ${token}` };
    const persisted = new PersistedQueryLink({ sha256: digest, useGETForHashedQueries: true });
    const client = new ApolloClient({
      link: ApolloLink.from([persisted, new HttpLink({ uri: url, headers })]),
      cache: new InMemoryCache(),
      defaultOptions: { query: { errorPolicy: 'all' }, mutate: { errorPolicy: 'all' } },
    });
    return async ({ text, variables }) => {
      const document = gql(text);
      const { data, error } = await (text.startsWith('mutation')
        ? client.mutate({ mutation: document, variables })
        : client.query({ query: document, variables }));
      return { data, codes: error?.errors?.map(({ extensions }) => extensions.code) ?? [] };
    };
  },
  behalf({ url, agent }) {
    const client = agentClient({ server: new URL(url).origin, dpop: true, ...agent });
    return ({ text, variables }) =>
      client.request(text, variables).then(
        (data) => ({ data, codes: [] }),
        ({ data, code }) => ({ data, codes: [code] }),
      );
  },
};

globalThis.ask = async (name, at, operations) => {
  const ask = clients[name](at);
  const answers = [];
  for (const operation of operations) answers.push(await ask(operation));
  return answers;
};
