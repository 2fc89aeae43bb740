// An agent with Apollo Client: persisted queries, and data beside what the task does not include.
import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  HttpLink,
  InMemoryCache,
  gql,
} from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { createHash } from 'node:crypto';
import { agentClient } from 'behalf/client';

const { SERVER: server, AGENT: name, SECRET: secret, DELEGATION: delegation } = process.env;
const agent = agentClient({ server, agent: name, secret, delegation });
const client = new ApolloClient({
  link: ApolloLink.from([
    new PersistedQueryLink({ sha256: (text) => createHash('sha256').update(text).digest('hex') }),
    new HttpLink({ uri: agent.endpoint, fetch: agent.fetch }),
  ]),
  cache: new InMemoryCache(),
});

const { data, error } = await client.query({
  query: gql`
    query Customers {
      customers(first: 5) {
        nodes {
          id
          name
          email
        }
      }
    }
  `,
  // The rest of the answer is good.
  errorPolicy: 'all',
});

const names = data?.customers.nodes.map(({ name }) => name) ?? [];
const [refusal] = CombinedGraphQLErrors.is(error) ? error.errors : [];
console.log(JSON.stringify({ names, ...refusal?.extensions }));
