import { clean, paint, print } from '../../src/cli/terminal/output.js';
import { demoCompanyName } from '../../src/demo/people.js';
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

/** One block: the request, the answer, the reason. */
export function printStep(report: StepReport): void {
  const mark = report.ok ? paint('green', '✓') : paint('red', '✗');
  const number = String(report.number).padStart(2);
  print(`\n${mark} ${number}  ${paint('bold', report.name)}`);
  block('asks', report.request);
  block('gets', report.ok ? report.result : report.result.map(short));
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
    value === undefined ? 'nothing' : typeof value === 'string' ? value.trim() : JSON.stringify(value),
  );
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
};

function printFailed({ what, expected, actual }: Expectation): void {
  print(paint('red', `     ✗     ${what}`));
  print(`${indent}expected ${short(expected)}`);
  print(`${indent}but got  ${short(actual)}`);
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
      : paint('red', `Not as it should be: step ${failed.join(', ')}. See what was expected there.`),
  );
}

/** Breaks a line between words. */
function wrap(line: string): string[] {
  const width = Math.max(40, Math.min(process.stdout.columns || widthMax, widthMax) - indent.length);
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
