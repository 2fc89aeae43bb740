import { randomUUID } from 'node:crypto';
import { demoTicketNumber } from '../../../src/demo/generate-business.js';
import { delegate, findTicket, whoAmI } from '../documents.js';
import { agentToken } from '../oauth.js';
import type { Caller, Step } from '../step.js';

export const task = `ticket:${demoTicketNumber}`;

/** The scopes that the ticket needs, sorted. Invoices are left out on purpose. */
export const handedOver = [
  'collections:read',
  'customers:read',
  'customers:read_contact',
  'documents:read',
  'orders:read',
  'products:read',
  'tickets:read',
  'tickets:reply',
];

export interface Assistant {
  readonly name: string;
  readonly displayName: string;
  readonly secret: string;
  readonly role: string;
}

/** A ticket as the person sees it. */
export interface Ticket {
  readonly id: string;
  readonly customer: { readonly id: string; readonly name: string };
  /** The number of the customer's orders that the person sees. */
  readonly orderCount: number;
}

/** A ticket that an agent works on. */
export interface Handed extends Ticket {
  readonly delegationId: string;
}

export async function handTicket(step: Step, rep: Caller, agent: Assistant): Promise<Handed> {
  step.asks(
    `mutation delegate: agent ${agent.name}, task ${task}, one customer, ${String(handedOver.length)} scopes:`,
    `${handedOver.join(', ')}.`,
  );
  step.why(
    'She may do more herself, such as read every customer’s invoices. The agent gets what the ticket needs, for an hour.',
  );
  const handed = await handOver(step, rep, agent, await findOut(step, rep));
  step.gets(`Delegation ${handed.delegationId} for the customer ${handed.customer.name}.`);
  return handed;
}

/** The ticket of the story, and how much its customer has. */
export async function findOut(step: Step, rep: Caller): Promise<Ticket> {
  const found = await step.ask(rep, findTicket, { number: demoTicketNumber });
  return {
    id: found.textAt('ticketByNumber.id'),
    customer: {
      id: found.textAt('ticketByNumber.customer.id'),
      name: found.textAt('ticketByNumber.customer.name'),
    },
    orderCount: Number(found.at('ticketByNumber.customer.orders.totalCount')),
  };
}

/** The person hands the agent one ticket: these scopes, this customer, nothing else. */
export async function handOver(step: Step, rep: Caller, agent: Assistant, ticket: Ticket): Promise<Handed> {
  const values = [ticket.customer.id];
  const purpose = 'Answer the customer who wants money back for a broken grinder.';
  const boundary = [{ dimension: 'customer', values }];
  const input = { agent: agent.name, task, purpose, scopes: handedOver, boundary };
  const made = await step.ask(rep, delegate, { input, key: randomUUID() });
  const inside = made
    .listAt('delegate.delegation.boundary')
    .find(({ dimension }) => dimension === 'customer');
  step.isAbout(made);
  step.expect('the delegation stands', made.at('delegate.delegation.status'), 'ACTIVE');
  step.expect('it holds the scopes that were named', made.at('delegate.delegation.scopes'), handedOver);
  step.expect('it reaches one customer', inside, { dimension: 'customer', all: false, values });
  return { ...ticket, delegationId: made.textAt('delegate.delegation.id') };
}

/** The agent names the delegation and gets its token: the person is the subject, the agent the actor. */
export async function takeUp(step: Step, rep: Caller, agent: Assistant, handed: Handed): Promise<Caller> {
  const {
    status,
    access_token: token,
    scope,
    error,
  } = await agentToken(step.server, agent, handed.delegationId);
  step.expect('the token endpoint answers', status, 200);
  if (token === undefined) throw new Error(`there is no access token, but ${String(error)}`);
  step.expect('the token has the scopes of the delegation', scope?.split(' ').sort(), handedOver);
  return { person: rep.person, agent: agent.displayName, task, token };
}

interface Box {
  readonly dimensions: readonly { readonly name: string; readonly values: readonly string[] }[];
}

export async function takeTicket(step: Step, rep: Caller, agent: Assistant, handed: Handed): Promise<Caller> {
  step.asks(
    'A token by its own secret (client_credentials), naming the delegation in authorization_details;',
    'query viewer: who am I here, and what may I do?',
  );
  step.why('An agent has no rights of its own: each of its tokens is for one person and one task.');
  const caller = await takeUp(step, rep, agent, handed);
  const answer = await step.ask(caller, whoAmI);
  const requestable = answer.at('viewer.requestableScopes') as readonly string[];
  const customers = answer.listAt('viewer.boundaries').find(({ scope }) => scope === 'customers:read');
  const values = (customers?.anyOf as readonly Box[] | undefined)?.map(
    ({ dimensions }) => dimensions.find(({ name }) => name === 'customer')?.values,
  );
  step.expect('it acts for the person', answer.at('viewer.person.displayName'), rep.person);
  step.expect('it acts alone', answer.at('viewer.agents'), [{ name: agent.name, role: agent.role }]);
  step.expect('its task is the ticket', answer.at('viewer.task.task'), task);
  step.expect(
    'it holds what was handed over',
    answer.at('viewer.scopes'),
    [...handedOver, 'session:read'].sort(),
  );
  step.expect('it reaches one customer', values, [[handed.customer.id]]);
  step.expect('it learns that it could ask for invoices', requestable.includes('invoices:read'), true);
  step.gets(
    `${rep.person} → ${agent.displayName}, ${task}, ${String(answer.at('viewer.task.operationsLeft'))} operations left.`,
    `It could ask her for ${requestable.join(' and ')}.`,
  );
  return caller;
}
