import { demoTicketNumber } from '../../src/demo/generate-business.js';
import { handTicket, takeTicket, type Handed } from './acts/handing-over.js';
import { readBack, type AuditRecord } from './acts/reading-back.js';
import { askForHiddenField, askForInvoice, tryOtherCustomer } from './acts/refusals.js';
import { signIn } from './acts/signing-in.js';
import { narrowRole, takeBack } from './acts/stopping.js';
import { lookUp, reply, type Case } from './acts/working.js';
import { Book, BrokenOff, type TracedRecord } from './book.js';
import type { DemoServer } from './server.js';
import type { Caller, StepReport } from './step.js';

export interface Outcome {
  readonly ok: boolean;
  readonly steps: readonly StepReport[];
  /** The auditor's records; empty where the story broke off before. */
  readonly records: readonly TracedRecord[];
}

/** The main job end to end: every step over HTTP, each checking its claims. */
export async function tellStory(
  server: DemoServer,
  onStep: (report: StepReport) => void = () => undefined,
): Promise<Outcome> {
  const book = new Book(server.url, onStep);
  const records: AuditRecord[] = [];
  try {
    records.push(...(await chapters(book, server)));
  } catch (error) {
    if (!(error instanceof BrokenOff)) throw error;
  }
  const steps = book.reports;
  return { ok: steps.every(({ ok }) => ok), steps, records: records.map((record) => book.traced(record)) };
}

async function chapters(book: Book, server: DemoServer): Promise<AuditRecord[]> {
  const since = new Date().toISOString();
  const rosa = server.person('support-rep');
  const agent = server.agent('support-agent');
  const assistant = `the ${agent.displayName}`;

  const rep = await book.step(`${rosa.displayName}, who answers tickets, signs in`, (step) =>
    signIn(step, rosa),
  );
  const handed = await book.step(`She hands ${assistant} the ticket ${demoTicketNumber}`, (step) =>
    handTicket(step, rep, agent),
  );
  const caller = await book.step('The assistant takes the task up', (step) =>
    takeTicket(step, rep, agent, handed),
  );
  const { told } = await work(book, rep, caller, handed);
  await book.step(`${rosa.displayName} takes the task back`, (step) =>
    takeBack(step, { rep, agent, caller, handed }),
  );

  const boss = server.person('administrator');
  const administrator = await book.step('An administrator signs in for the first time', (step) =>
    signIn(step, boss),
  );
  await book.step('The administrator narrows the role of support agents', (step) =>
    narrowRole(step, { rep, agent, administrator, ticket: handed }),
  );

  const watcher = server.person('auditor');
  const auditor = await book.step(`${watcher.displayName}, the auditor, signs in`, (step) =>
    signIn(step, watcher),
  );
  return book.step('She reads back who did what, on whose behalf', (step) =>
    readBack(step, auditor, { since, sent: book.sent, handed, reply: told.reply }),
  );
}

/** The agent's allowed work, and its refused attempts. */
async function work(book: Book, rep: Caller, agent: Caller, handed: Handed): Promise<{ told: Case }> {
  const told = await book.step('It looks up what the ticket is about', (step) => lookUp(step, agent, handed));
  await book.step('It answers the customer', (step) => reply(step, agent, handed, told));
  await book.step('It asks what the invoice comes to, which was not handed over', (step) =>
    askForInvoice(step, rep, agent, told.invoice),
  );
  await book.step('It asks for the customer’s credit limit, which no support agent may see', (step) =>
    askForHiddenField(step, agent, handed),
  );
  await book.step('It tries another customer', (step) => tryOtherCustomer(step, rep, agent, handed));
  return { told };
}
