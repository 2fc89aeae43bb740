import { randomUUID } from 'node:crypto';
import {
  answerTicket,
  countCustomers,
  listCustomers,
  readCustomer,
  readField,
  readInvoice,
  readSchema,
} from '../documents.js';
import type { Caller, Step } from '../step.js';
import type { Handed } from './handing-over.js';

/** Inside the role, outside this delegation: refused, with the missing scope and how to ask for it. */
export async function askForInvoice(step: Step, rep: Caller, agent: Caller, number: string): Promise<void> {
  step.asks(`query invoiceByNumber(number: "${number}") { amount }, the one that the customer writes about.`);
  step.why(
    'Its role includes invoices, this delegation does not: so it is told what is missing, and whom to ask.',
  );
  const herself = await step.ask(rep, readInvoice, { number });
  const answer = await step.ask(agent, readInvoice, { number });
  const { code, missingScopes, layer, hint } = answer.errors[0]?.extensions ?? {};
  step.expect('the person reads the invoice', herself.at('invoiceByNumber.number'), number);
  step.expect('the agent gets no invoice', answer.data, { invoiceByNumber: null });
  step.expect('the code', code, 'FORBIDDEN');
  step.expect('the missing scope', missingScopes, ['invoices:read']);
  step.expect('the layer that refused', layer, 'delegation');
  step.gets(
    `${String(code)}: ${String(missingScopes)} is missing in the ${String(layer)}. “${String(hint)}”`,
    `${rep.person} herself reads ${herself.textAt('invoiceByNumber.amount.currency')} ${herself.textAt('invoiceByNumber.amount.amount')}.`,
  );
}

const hiddenField = 'creditLimit';
/** One letter off: if the real field were visible, the error would suggest it. */
const madeUpField = 'creditLimut';

/** Outside the role: as if it did not exist. */
export async function askForHiddenField(step: Step, agent: Caller, { customer }: Handed): Promise<void> {
  step.asks(
    `customer { ${hiddenField} }; then ${madeUpField}, a field that there is not; then the whole schema.`,
  );
  step.why(
    'What its role could never reach looks like what does not exist, in messages, suggestions and introspection.',
  );
  const real = await step.ask(agent, readField(hiddenField), { id: customer.id });
  const madeUp = await step.ask(agent, readField(madeUpField), { id: customer.id });
  const schema = await step.ask(agent, readSchema);
  step.isAbout(real);
  const message = real.errors[0]?.message;
  step.expect('the message', message, `Cannot query field "${hiddenField}" on type "Customer".`);
  step.expect('the code', real.code, 'BAD_USER_INPUT');
  step.expect(
    'both answers are equal, byte by byte, apart from the name',
    real.apartFromId().replaceAll(hiddenField, madeUpField),
    madeUp.apartFromId(),
  );
  step.expect('introspection knows customers', schema.text.includes('"name":"Customer"'), true);
  step.expect('introspection knows nothing of credit', /credit/i.exec(schema.text)?.[0], undefined);
  step.gets(`“${String(message)}” For ${madeUpField} the very same.`, 'The schema does not hold it either.');
}

/** Outside the boundary: as if it were not there. */
export async function tryOtherCustomer(
  step: Step,
  rep: Caller,
  agent: Caller,
  handed: Handed,
): Promise<void> {
  step.asks('query customer and mutation replyToTicket for another customer; then with ids that nobody has.');
  step.why('A row outside the boundary equals one that is not there. Counts stay inside it too.');
  const other = await findOther(step, rep, handed.customer.id);
  const read = await step.ask(agent, readCustomer, { id: other.id });
  const readNobody = await step.ask(agent, readCustomer, { id: unused(other.id) });
  const written = await step.ask(agent, answerTicket, writing(other.ticketId));
  const writtenNobody = await step.ask(agent, answerTicket, writing(unused(other.ticketId)));
  const all = await step.ask(agent, countCustomers);
  step.isAbout(read);
  step.expect('it reads nothing', read.data, { customer: null });
  step.expect('and gets no error', read.errors, []);
  step.expect('as with an id that nobody has', read.apartFromId(), readNobody.apartFromId());
  step.expect('its reply is refused', written.code, 'NOT_FOUND');
  step.expect('as with a ticket that nobody has', written.apartFromId(), writtenNobody.apartFromId());
  step.expect('it counts one customer', all.at('customers.totalCount'), 1);
  step.gets(
    `null, and ${String(written.code)} for the reply. The ids that nobody has give the same bytes.`,
    `${rep.person} sees ${String(other.customers)} customers, ${other.name} among them; the agent counts 1.`,
  );
}

interface Other {
  readonly id: string;
  readonly name: string;
  readonly ticketId: string;
  /** The number of customers that the person sees. */
  readonly customers: number;
}

async function findOther(step: Step, rep: Caller, customerId: string): Promise<Other> {
  const answer = await step.ask(rep, listCustomers);
  const nodes = answer.listAt('customers.nodes') as unknown as {
    readonly id: string;
    readonly name: string;
    readonly tickets: { readonly nodes: readonly { readonly id: string }[] };
  }[];
  for (const { id, name, tickets } of nodes) {
    const [ticket] = tickets.nodes;
    if (id === customerId || ticket === undefined) continue;
    return { id, name, ticketId: ticket.id, customers: Number(answer.at('customers.totalCount')) };
  }
  throw new Error('the person sees no other customer with a ticket');
}

const writing = (ticketId: string) => ({ ticketId, body: 'Hello', key: randomUUID() });

/** An id that differs only in its last character. */
const unused = (id: string): string => id.slice(0, -1) + (id.endsWith('0') ? '1' : '0');
