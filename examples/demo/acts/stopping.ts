import { randomUUID } from 'node:crypto';
import { changeRole, findRole, readContact, readCustomer, revoke } from '../documents.js';
import { agentToken } from '../oauth.js';
import type { Caller, Step } from '../step.js';
import { handOver, takeUp, type Assistant, type Handed, type Ticket } from './handing-over.js';

/** The person ends the delegation; the agent’s token is worth nothing from then on. */
export async function takeBack(
  step: Step,
  { rep, agent, caller, handed }: { rep: Caller; agent: Assistant; caller: Caller; handed: Handed },
): Promise<void> {
  step.asks('mutation revokeDelegation; then the agent reads its customer again, and asks for a new token.');
  step.why('Rights are read live: what starts after the revocation sees it, whatever its token says.');
  const { id } = handed.customer;
  const before = await step.ask(caller, readCustomer, { id });
  const ended = await step.ask(rep, revoke, { id: handed.delegationId, key: randomUUID() });
  const after = await step.ask(caller, readCustomer, { id });
  const renewed = await agentToken(step.server, agent, handed.delegationId);
  step.isAbout(ended);
  step.expect('the agent reads before', before.at('customer.id'), id);
  step.expect('the delegation is revoked', ended.at('revokeDelegation.delegation.status'), 'REVOKED');
  step.expect('the very next operation fails', [after.status, after.code], [401, 'UNAUTHENTICATED']);
  step.expect('it brings no data', after.data, undefined);
  step.expect('there is no new token', [renewed.status, renewed.error], [400, 'invalid_grant']);
  step.gets(
    `${String(after.status)} ${String(after.code)} for the operation, ${String(renewed.error)} for the token.`,
  );
}

const taken = 'customers:read_contact';

/** An administrator takes a scope from the role; the agent at work loses it at once. */
export async function narrowRole(
  step: Step,
  {
    rep,
    agent,
    administrator,
    ticket,
  }: { rep: Caller; agent: Assistant; administrator: Caller; ticket: Ticket },
): Promise<void> {
  step.asks(
    `${rep.person} hands the ticket over again, and the agent reads the customer’s contact;`,
    `mutation updateRole by the administrator: ${agent.role} without ${taken}; the agent asks again.`,
  );
  step.why('The role is the ceiling of every agent that holds it, for tokens in use as well.');
  const handed = await handOver(step, rep, agent, ticket);
  const caller = await takeUp(step, rep, agent, handed);
  const { id } = handed.customer;
  const before = await step.ask(caller, readContact, { id });
  const changed = await takeScope(step, administrator, agent.role);
  const after = await step.ask(caller, readContact, { id });
  const without = await step.ask(caller, readCustomer, { id });
  step.isAbout(changed);
  step.expect('the agent reads the contact before', typeof before.at('customer.contactName'), 'string');
  step.expect(
    'the scope is gone from the role',
    changed.listAt('updateRole.role.scopes').includes(taken as never),
    false,
  );
  step.expect(
    'the field is gone for the same token',
    after.errors.map(({ message }) => message),
    ['Cannot query field "contactName" on type "Customer".'],
  );
  step.expect('the rest still works', without.at('customer.id'), id);
  step.gets(
    `Before: “${before.textAt('customer.contactName')}”. After: “${String(after.errors[0]?.message)}”`,
    'It still reads the customer’s name.',
  );
}

async function takeScope(step: Step, administrator: Caller, name: string) {
  const found = await step.ask(administrator, findRole, { name });
  const scopes = found.at('roles.nodes.0.scopes') as readonly string[];
  return step.ask(administrator, changeRole, {
    id: found.textAt('roles.nodes.0.id'),
    scopes: scopes.filter((scope) => scope !== taken),
    version: found.at('roles.nodes.0.version'),
    key: randomUUID(),
  });
}
