import { clean, columns, paint, print } from '../../src/cli/terminal/output.js';
import { demoCompanyName } from '../../src/cli/seed/people.js';
import type { TracedRecord } from './book.js';
import type { DemoServer } from './server.js';
import type { Expectation, StepReport } from './step.js';
import type { Outcome } from './story.js';

const widthMax = 110;
const indent = ' '.repeat(11);

export function printServer({ url, database, counts }: DemoServer): void {
  const { customers = 0, orders = 0, tickets = 0, documents = 0 } = counts;
  print(paint('bold', 'Behalf: an AI agent answers one ticket, on behalf of one person'));
  print(
    `${demoCompanyName}, a demo company: ${String(customers)} customers, ${String(orders)} orders, ` +
      `${String(tickets)} tickets, ${String(documents)} documents.`,
  );
  print(paint('dim', `Every step goes over HTTP to ${url}, over ${database}.`));
}

/** One block: what is asked, what came back, why. */
export function printStep(report: StepReport): void {
  const mark = report.ok ? paint('green', '✓') : paint('red', '✗');
  const number = String(report.number).padStart(2);
  print(`\n${mark} ${number}  ${paint('bold', report.name)}`);
  block('asks', report.request);
  block('gets', report.result);
  block('why', [report.why], 'dim');
  for (const failed of report.expectations.filter(({ ok }) => !ok)) printFailed(failed);
}

function block(label: string, lines: readonly string[], style?: 'dim'): void {
  lines
    .flatMap((line) => wrap(clean(line)))
    .forEach((line, at) => {
      const name = at === 0 ? `     ${label.padEnd(6)}` : indent;
      print(`${paint('cyan', name)}${style === undefined ? line : paint(style, line)}`.trimEnd());
    });
}

const short = (value: unknown): string => {
  const text = clean(
    value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value),
  );
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
};

function printFailed({ what, expected, actual }: Expectation): void {
  print(paint('red', `     ✗     ${what}`));
  print(`${indent}expected ${short(expected)}`);
  print(`${indent}but got  ${short(actual)}`);
}

/** The records as a table: the chain, the task, what was touched, and what came of it. */
export function printRecords(records: readonly TracedRecord[]): void {
  if (records.length === 0) return;
  const rows = records.map((record) => [
    String(record.step).padStart(4),
    chainOf(record),
    record.task ?? '–',
    operationOf(record),
    touchedBy(record),
    resultOf(record),
  ]);
  const [head = '', ...lines] = columns([['step', 'who', 'task', 'what', 'touched', 'result'], ...rows]);
  print(`\n${paint('bold', head)}`);
  for (const line of lines) print(clean(line));
}

const chainOf = ({ chain }: TracedRecord): string =>
  chain === null
    ? 'nobody'
    : [chain.person, ...chain.agents].map(({ displayName }) => displayName).join(' → ');

const operationOf = ({ kind, operationName }: TracedRecord): string =>
  kind === 'GRAPHQL' ? (operationName ?? '(not valid)') : kind.toLowerCase().replace('_', ' ');

/** What was changed where anything was, else what was read. */
function touchedBy({ resources }: TracedRecord): string {
  const rows = resources.filter(({ action, count }) => action !== 'aggregate' && count > 0);
  const changed = rows.filter(({ action }) => action !== 'read');
  const told = (changed.length > 0 ? changed : rows).map(({ type, action, count }) => {
    const named = count === 1 ? type : `${String(count)} ${type}`;
    return action === 'read' ? named : `${action} ${named}`;
  });
  return told.length === 0 ? '–' : told.join(', ');
}

function resultOf({ outcome, errors, decisions }: TracedRecord): string {
  const [code] = errors.map((error) => error.code);
  const [missing] = decisions;
  const why = missing === undefined ? code : `${String(code)} ${missing.scope} (${missing.layer})`;
  return why === undefined ? outcome.toLowerCase() : `${outcome.toLowerCase()}: ${why}`;
}

export function printEnd({ ok, steps }: Outcome, seconds: number): void {
  const failed = steps.filter((step) => !step.ok).map((step) => String(step.number));
  const checks = steps.reduce((sum, step) => sum + step.expectations.length, 0);
  print('');
  print(
    ok
      ? paint(
          'green',
          `All ${String(steps.length)} steps did what they should: ${String(checks)} expectations in ${seconds.toFixed(1)} s.`,
        )
      : paint('red', `Not as it should be: step ${failed.join(' and ')}. See what was expected there.`),
  );
}

/** Breaks a line between words. */
function wrap(line: string): string[] {
  const width = Math.max(
    40,
    Math.min(process.stdout.isTTY ? process.stdout.columns : widthMax, widthMax) - indent.length,
  );
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const at = rest.lastIndexOf(' ', width);
    if (at <= 0) break;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  return [...lines, rest];
}
