import { signIn } from '../acts/signing-in.js';
import { allRecords, type AuditRecord } from '../acts/reading-back.js';
import { tryOtherCustomer } from '../acts/refusals.js';
import { lookUp, reply } from '../acts/working.js';
import { Book, BrokenOff } from '../book.js';
import type { DemoServer } from '../server.js';
import type { Step, StepReport } from '../step.js';
import type { Outcome } from '../story.js';
import { consent, endSession, signInHere, trustCompany } from './acts.js';
import { providerName } from './browsing.js';
import { CompanyProvider } from './company-provider.js';

/** A person signs in with her company, consents to an agent's one task, and is signed out by her company. */
export async function tellCompanyStory(
  server: DemoServer,
  onStep: (report: StepReport) => void = () => undefined,
): Promise<Outcome> {
  const rosa = server.person('support-rep');
  const employee = { sub: `marlow-finch|${rosa.name}`, name: rosa.displayName };
  const company = await CompanyProvider.start(employee, `${server.url}/oauth/callback/${providerName}`);
  const book = new Book(server.url, onStep);
  let records: readonly AuditRecord[] = [];
  try {
    records = await chapters(book, { server, company }, employee);
  } catch (error) {
    if (!(error instanceof BrokenOff)) throw error;
  } finally {
    await company.close();
  }
  const steps = book.reports;
  return { ok: steps.every(({ ok }) => ok), steps, records: records.map((record) => book.traced(record)) };
}

async function chapters(
  book: Book,
  parties: { readonly server: DemoServer; readonly company: CompanyProvider },
  employee: { readonly sub: string; readonly name: string },
): Promise<readonly AuditRecord[]> {
  const { server } = parties;
  const since = new Date().toISOString();
  const rosa = server.person('support-rep');
  const agent = server.agent('support-agent');
  const { name } = employee;

  await book.step('The administrator trusts the company’s identity provider', (step) =>
    trustCompany(step, parties, employee, rosa.name, agent),
  );
  const rep = await book.step(`${name} signs in with her company`, (step) =>
    signInHere(step, parties, employee),
  );
  const { caller, handed } = await book.step(
    `The ${agent.displayName} asks her for one ticket, and she consents to one customer`,
    (step) => consent(step, parties, rep, agent),
  );
  const told = await book.step('It looks up what the ticket is about', (step) =>
    lookUp(step, caller, handed),
  );
  await book.step('It answers the customer', (step) => reply(step, caller, handed, told));
  await book.step('It tries another customer', (step) => tryOtherCustomer(step, rep, caller, handed));
  await book.step('The company ends her session, and the assistant is refused', (step) =>
    endSession(step, parties, employee, rep, caller, handed),
  );

  const watcher = server.person('auditor');
  const auditor = await book.step(`${watcher.displayName}, the auditor, signs in`, (step) =>
    signIn(step, watcher),
  );
  return book.step('She reads back who did what, on whose behalf', (step) =>
    readSessions(step, () => allRecords(step, auditor, since), caller.agent ?? ''),
  );
}

async function readSessions(
  step: Step,
  read: () => Promise<AuditRecord[]>,
  agent: string,
): Promise<readonly AuditRecord[]> {
  step.asks('query auditRecords since the story began.');
  step.why('The consent, each operation under it, and the logout that ended it are one chain of records.');
  const records = await read();
  const of = (kind: string): number => records.filter((record) => record.kind === kind).length;
  const acted = records.filter(({ chain }) => chain?.agents.some(({ displayName }) => displayName === agent));
  step.expect('the consent is recorded', of('CONSENT') > 0, true);
  step.expect('the logout is recorded', of('REVOCATION') > 0, true);
  step.expect(
    'the agent’s operations are recorded',
    acted.some(({ kind }) => kind === 'GRAPHQL'),
    true,
  );
  step.gets(
    `${String(records.length)} records, ${String(acted.length)} of them of the ${agent} on her behalf.`,
  );
  return records;
}
