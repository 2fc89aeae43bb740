import { randomUUID } from 'node:crypto';
import { demoTicketNumber } from '../../../src/cli/seed/business.js';
import { delegate, findTicket, whoAmI } from '../documents.js';
import { agentToken, signInPerson } from '../oauth.js';
import type { DemoServer } from '../server.js';
import type { Caller, Step } from '../step.js';

export const task = `ticket:${demoTicketNumber}`;

/** What the ticket needs. Invoices are left out on purpose. */
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

export interface Handed {
  readonly delegationId: string;
  readonly ticketId: string;
  readonly customerId: string;
  readonly customerName: string;
  /** How many orders of the customer the person sees. */
  readonly orders: number;
}

export async function signIn(
  step: Step,
  person: { readonly name: string; readonly displayName: string; readonly password: string },
  pages: readonly string[],
): Promise<Caller> {
  const signedIn = await signInPerson(step.server, person.name, person.password);
  const { status, access_token: token, expires_in: seconds = 0 } = signedIn.token;
  step.expect('the pages that the person sees', signedIn.pages, pages);
  step.expect('the token endpoint answers', status, 200);
  if (token === undefined) throw new Error(`there is no access token, but ${String(signedIn.token.error)}`);
  step.asks(`The pages “${pages.join('” and “')}”, then an access token (authorization code with PKCE).`);
  step.gets(`A token for ${person.displayName} in person, good for ${String(seconds / 60)} minutes.`);
  return { person: person.displayName, token };
}

/** The person hands an agent one ticket: only these scopes, and only this customer. */
export async function handOver(
  step: Step,
  rosa: Caller,
  agent: { readonly name: string; readonly displayName: string },
  scopes: readonly string[] = handedOver,
): Promise<Handed> {
  const found = await step.ask(rosa, findTicket, { number: demoTicketNumber });
  const customerId = found.textAt('ticketByNumber.customer.id');
  const customerName = found.textAt('ticketByNumber.customer.name');
  const input = {
    agent: agent.name,
    task,
    purpose: 'Answer the customer who asks for money back.',
    scopes,
    boundary: [{ dimension: 'customer', values: [customerId] }],
  };
  const made = await step.ask(rosa, delegate, { input, key: randomUUID() });
  const boundary = made.listAt('delegate.delegation.boundary');
  step.expect('the delegation stands', made.at('delegate.delegation.status'), 'ACTIVE');
  step.expect('it holds the scopes that were asked for', made.at('delegate.delegation.scopes'), scopes);
  step.expect(
    'it reaches one customer',
    boundary.find(({ dimension }) => dimension === 'customer'),
    { dimension: 'customer', all: false, values: [customerId] },
  );
  step.asks(`delegate(agent: "${agent.name}", task: "${task}", customer: “${customerName}”,`);
  step.gets(`A delegation with ${String(scopes.length)} scopes and one customer.`);
  step.isAbout(made);
  return {
    delegationId: made.textAt('delegate.delegation.id'),
    ticketId: found.textAt('ticketByNumber.id'),
    customerId,
    customerName,
    orders: Number(found.at('ticketByNumber.customer.orders.totalCount')),
  };
}

/** The agent gets its token by naming the delegation. */
export async function takeUp(step: Step, server: DemoServer, rosa: Caller, handed: Handed): Promise<Caller> {
  const agent = server.agent('support-agent');
  const { status, access_token: token, scope, error } = await agentToken(server.url, agent, handed.delegationId);
  step.expect('the token endpoint answers', status, 200);
  if (token === undefined) throw new Error(`there is no access token, but ${String(error)}`);
  step.expect('the token has the scopes of the delegation', scope?.split(' ').sort(), handedOver);
  return { person: rosa.person, agent: agent.displayName, task, token };
}

/** The agent asks who it is here. */
export async function lookAround(step: Step, agent: Caller, name: string, handed: Handed): Promise<void> {
  const answer = await step.ask(agent, whoAmI);
  const requestable = answer.at('viewer.requestableScopes') as readonly string[];
  const places = answer.listAt('viewer.boundaries').find(({ scope }) => scope === 'customers:read')?.anyOf as
    readonly { readonly dimensions: readonly { readonly name: string; readonly values: readonly string[] }[] }[];
  const customers = places.map(({ dimensions }) => dimensions.find((each) => each.name === 'customer')?.values);
  step.expect('it acts for the person', answer.at('viewer.person.displayName'), agent.person);
  step.expect('it is the only agent', answer.at('viewer.agents'), [{ name, role: 'support-agent' }]);
  step.expect('its task is the ticket', answer.at('viewer.task.task'), task);
  step.expect('it holds no more than was handed over', answer.at('viewer.scopes'), [
    ...handedOver.filter((scope) => scope < 'session:read'),
    'session:read',
    ...handedOver.filter((scope) => scope > 'session:read'),
  ]);
  step.expect('it reaches one customer', customers, [[handed.customerId]]);
  step.expect('it may ask for invoices', requestable.includes('invoices:read'), true);
  step.gets(
    `“${agent.person} → ${String(agent.agent)}, ${task}”: ${String(handedOver.length)} scopes, one customer,`,
    `${String(answer.at('viewer.task.operationsLeft'))} operations left. It may ask for ${requestable.join(', ')}.`,
  );
}
