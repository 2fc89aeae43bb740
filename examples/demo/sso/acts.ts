import { addProvider, linkIdentity } from '../../../src/admin/identity-providers.js';
import { updateAgent } from '../../../src/admin/agents.js';
import { openDatabase } from '../../../src/cli/operator/open-database.js';
import { readConfig } from '../../../src/config.js';
import { demoAdministrator } from '../../../src/demo/people.js';
import { findAgent, findUser } from '../../../src/operator/find-by-name.js';
import { change } from '../../../src/operator/recorded-change.js';
import { findOut, handedOver, task, type Assistant, type Handed } from '../acts/handing-over.js';
import { Browser } from '../browser.js';
import { readCustomer } from '../documents.js';
import { basic, callback, CodeRequest } from '../oauth.js';
import type { DemoServer } from '../server.js';
import type { Caller, Step } from '../step.js';
import { providerName, signInWithCompany, ticked } from './browsing.js';
import { clientId, clientSecret, type CompanyProvider, type Employee } from './company-provider.js';

/** Where the assistant waits for answers. The browser's last redirect is read, not followed. */
const assistantCallback = 'http://127.0.0.1/assistant';

interface Parties {
  readonly server: DemoServer;
  readonly company: CompanyProvider;
}

/** Adds the company's provider, links the employee and gives the agent its redirect URI: an administrator's work, once. */
export async function trustCompany(
  step: Step,
  { server, company }: Parties,
  employee: Employee,
  userName: string,
  agent: Assistant,
): Promise<void> {
  step.asks(
    `provider add ${providerName}: ${company.issuer}; provider link: ${userName} is “${employee.sub}” there;`,
    `the agent ${agent.name} may send people back to ${assistantCallback}.`,
  );
  step.why(
    'An account is found by provider and subject alone: a name or an e-mail address could be somebody else’s.',
  );
  const database = await openDatabase(readConfig({ DATABASE_URL: server.databaseUrl }), 'there');
  try {
    const event = { command: 'provider add', as: demoAdministrator.name, detail: { provider: providerName } };
    const issuer = await change(database, event, async (deciding) => {
      await deciding.require('agents:manage');
      const provider = await addProvider(
        deciding,
        {
          ...{ name: providerName, label: 'Marlow & Finch', issuer: company.issuer, clientId, clientSecret },
          ...{ scopes: ['profile'], groupsClaim: 'groups', userNameClaim: 'sub', mayCreateUsers: false },
        },
        false,
      );
      await linkIdentity(
        deciding,
        deciding.by.id,
        provider,
        await findUser(deciding.tx, userName),
        employee.sub,
      );
      const row = await findAgent(deciding.tx, agent.name);
      await updateAgent(deciding, deciding.by.id, row, { redirectUris: [assistantCallback] });
      return provider.issuer;
    });
    step.expect('the provider is trusted', issuer, company.issuer);
  } finally {
    await database.close();
  }
  step.gets(`The sign-in page has a button of ${employee.name}’s company.`);
}

/** The person acts by herself. */
export async function signInHere(
  step: Step,
  { server, company }: Parties,
  { name }: Employee,
): Promise<Caller> {
  step.asks('The page “Sign in”, its button of the company, the page there, and back; then an access token.');
  step.why('Her password stays with her company, and so does the end of her session.');
  const request = new CodeRequest(server.url, 'behalf-cli', callback);
  const { end, pages } = await signInWithCompany(
    new Browser(server.url),
    company.issuer,
    server.url,
    request.url,
  );
  const { access_token: token, status, error } = await request.redeem(end);
  step.expect('the pages that she sees', pages, ['Sign in', 'Sign in to the company']);
  step.expect('the token endpoint answers', status, 200);
  if (token === undefined) throw new Error(`there is no access token, but ${String(error)}`);
  step.gets(`A token with which ${name} acts in person.`);
  return { person: name, token };
}

/** The agent asks by authorization code with PKCE, and the person narrows what it gets on the consent page. */
export async function consent(
  step: Step,
  { server, company }: Parties,
  rep: Caller,
  agent: Assistant,
): Promise<{ readonly caller: Caller; readonly handed: Handed }> {
  step.asks(
    `The assistant asks for ${task} and ${String(handedOver.length)} scopes (authorization code with PKCE);`,
    'the page says who asks, for which task and how far; she looks her customer up by name and ticks that one.',
  );
  step.why('What comes of it is a delegation, exactly as the page stood when she allowed it.');
  const ticket = await findOut(step, rep);
  const purpose = 'Answer the customer who wants money back for a broken grinder.';
  const request = new CodeRequest(server.url, agent.name, assistantCallback, {
    scope: handedOver.join(' '),
    authorization_details: JSON.stringify([{ type: 'behalf_delegation', task, purpose }]),
  });
  const browser = new Browser(server.url);
  const { end: page } = await signInWithCompany(browser, company.issuer, server.url, request.url);
  const term = { 'find:customer': ticket.customer.name };
  const found = await browser.submit(page, { ...ticked(page), ...term, action: 'search' });
  const only = { ...ticked(found), ...term, 'only:customer': ticket.customer.id, seconds: '900' };
  const returned = await browser.submit(found, only);
  const answer = await request.redeem(returned, basic(agent));
  const { access_token: token, scope, status, authorization_details: details } = answer;
  step.expect('the page names the agent', page.html.includes(agent.displayName), true);
  step.expect('the page names the purpose', page.html.includes(purpose), true);
  step.expect('the scopes that the page offers', ticked(page).scope?.sort(), handedOver);
  step.expect('the page finds the customer', found.html.includes(`value="${ticket.customer.id}"`), true);
  step.expect('the token endpoint answers', status, 200);
  if (token === undefined) throw new Error(`there is no access token, but ${String(answer.error)}`);
  step.expect('the token has what she left ticked', scope?.split(' ').sort(), handedOver);
  step.gets(
    `A token of ${agent.displayName} for ${rep.person}, for 15 minutes and one customer, ${ticket.customer.name}.`,
  );
  const delegationId = details?.[0]?.delegation ?? '';
  return {
    caller: { person: rep.person, agent: agent.displayName, task, token },
    handed: { ...ticket, delegationId },
  };
}

/** The company ends the person's session: all that rests on it ends with the next operation. */
export async function endSession(
  step: Step,
  { server, company }: Parties,
  employee: Employee,
  rep: Caller,
  agent: Caller,
  handed: Handed,
): Promise<void> {
  step.asks(
    'A logout token of the company (OpenID Connect Back-Channel Logout);',
    'then the assistant reads its customer again, and she looks at her own.',
  );
  step.why(
    'Who leaves the company, or loses a device, is signed out there, once. Nothing here waits for a token to expire.',
  );
  const { id } = handed.customer;
  const before = await step.ask(agent, readCustomer, { id });
  const told = await company.endSession(employee, `${server.url}/oauth/backchannel_logout`);
  const after = await step.ask(agent, readCustomer, { id });
  const hers = await step.ask(rep, readCustomer, { id });
  step.isAbout(after);
  step.expect('the assistant reads before', before.at('customer.id'), id);
  step.expect('the logout is taken', told, 200);
  step.expect('its very next operation fails', [after.status, after.code], [401, 'UNAUTHENTICATED']);
  step.expect('it brings no data', after.data, undefined);
  step.expect('her own token is worth nothing too', [hers.status, hers.code], [401, 'UNAUTHENTICATED']);
  step.gets(`${String(after.status)} ${String(after.code)} for the assistant, and for her own token.`);
}
