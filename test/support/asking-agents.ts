import * as oauth from 'oauth4webapi';
import { giveAgentRole } from '../../src/admin/assignments.js';
import { createAgent } from '../../src/admin/agents.js';
import { createClient } from '../../src/admin/clients.js';
import { CodeFlow, discover, type Shown } from '../parts/oauth/browser.js';
import { withPassword } from './account.js';
import type { Employee } from './administration.js';
import type { Agent, Office } from './office.js';
import { password } from './passwords.js';
import { secretsAllowed } from './secrets-allowed.js';

export const callback = 'https://helper.example/callback';
export const about = { purpose: 'Answer the letter', task: 'ticket:T-1' };
export const details = (...requests: object[]): string =>
  JSON.stringify(requests.map((request) => ({ type: 'behalf_delegation', ...request })));

/** An agent that may ask people itself. Where it is public, a client of the same name without a secret acts as it. */
export async function askingAgent(
  { company }: Office,
  name: string,
  { isPublic = false, role = 'support-agent' } = {},
): Promise<Agent> {
  return company.do(async (unit) => {
    const of = { displayName: `Agent ${name}`, businessTask: 'a task of a test', ownerId: company.root.id };
    const redirectUris = [callback];
    const held = await company.role(role);
    if (isPublic) {
      const client = { clientId: name, name: of.displayName, redirectUris };
      const input = { ...client, agent: { name, ...of, roles: [held] } };
      const { agentId } = await createClient(unit, company.root.id, input, company.around);
      return { id: agentId ?? '', name, secret: '' };
    }
    const { agent, secret } = await createAgent(unit, { name, ...of, redirectUris }, secretsAllowed);
    await giveAgentRole(unit, agent, held, null);
    return { id: agent.id, name, secret: secret ?? '' };
  });
}

/** The page on which an agent asks a person. */
export async function askedBy(
  office: Office,
  agent: Agent,
  who: Employee,
  parameters: Record<string, string> = {},
): Promise<[CodeFlow, Shown]> {
  const request = {
    ...{ client_id: agent.name, redirect_uri: callback, scope: 'tickets:read customers:read' },
    ...{ authorization_details: details(about), ...parameters },
  };
  const flow = await CodeFlow.start({ issuer: office.server.url }, request);
  return [flow, await flow.signIn(await withPassword(office, who), password)];
}

/** How an agent proves who it is, seen from an independent library. */
export const proofOf = (agent: Agent): oauth.ClientAuth =>
  agent.secret === '' ? oauth.None() : oauth.ClientSecretBasic(agent.secret);

export const serverOf = (office: Office): Promise<oauth.AuthorizationServer> =>
  discover({ issuer: office.server.url });
