// An agent with graphql-request: reads the ticket of its task, and answers it once, however often it is started.
import { GraphQLClient, gql } from 'graphql-request';
import { agentClient } from 'behalf/client';

const { SERVER: server, AGENT: name, SECRET: secret, DELEGATION: delegation, TICKET: number } = process.env;
const agent = agentClient({ server, agent: name, secret, delegation });
const client = new GraphQLClient(agent.endpoint, { fetch: agent.fetch });

const { ticketByNumber: ticket } = await client.request(
  gql`
    query ReadTicket($number: String!) {
      ticketByNumber(number: $number) {
        id
        subject
        status
      }
    }
  `,
  { number },
);

// A key of one's own makes the answer one answer, also for a program that starts again.
const { replyToTicket } = await client.request(
  gql`
    mutation Answer($ticket: ID!, $body: String!, $key: String!) {
      replyToTicket(ticketId: $ticket, body: $body, idempotencyKey: $key) {
        message {
          id
        }
      }
    }
  `,
  { ticket: ticket.id, body: 'We look into it.', key: `first-answer-${ticket.id}` },
);

console.log(JSON.stringify({ subject: ticket.subject, message: replyToTicket.message.id }));
