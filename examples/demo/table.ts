import { clean, columns, paint, print } from '../../src/cli/terminal/output.js';
import type { TracedRecord } from './book.js';

/** The records as a table: the chain, the task, the rows touched, and the outcome. */
export function printRecords(records: readonly TracedRecord[]): void {
  if (records.length === 0) return;
  const rows = records.map((record) => [
    String(record.step).padStart(2),
    chainOf(record),
    record.task ?? '–',
    operationOf(record),
    touchedBy(record),
    resultOf(record),
  ]);
  const [head = '', ...lines] = columns([[' #', 'who', 'task', 'what', 'touched', 'result'], ...rows]);
  print(`\n${paint('bold', head)}`);
  for (const line of lines) print(clean(line));
}

const chainOf = ({ chain }: TracedRecord): string =>
  chain === null
    ? 'nobody'
    : [chain.person, ...chain.agents].flatMap((one) => one?.displayName ?? []).join(' → ');

const operationOf = ({ kind, operationName }: TracedRecord): string =>
  kind === 'GRAPHQL' ? (operationName ?? '(not valid)') : kind.toLowerCase().replace('_', ' ');

const kindsMax = 3;

/** The changed rows; where nothing was changed, the rows read. */
function touchedBy({ resources }: TracedRecord): string {
  const rows = resources.filter(({ action, count }) => action !== 'aggregate' && count > 0);
  const changed = rows.filter(({ action }) => action !== 'read');
  const told = (changed.length > 0 ? changed : rows).map(({ type, action, count }) => {
    const named = count === 1 ? type : `${String(count)} ${type}`;
    return action === 'read' ? named : `${action} ${named}`;
  });
  if (told.length === 0) return '–';
  return [...told.slice(0, kindsMax), ...(told.length > kindsMax ? ['…'] : [])].join(', ');
}

function resultOf({ outcome, errors, decisions }: TracedRecord): string {
  const [error] = errors;
  const [missing] = decisions;
  if (error === undefined) return outcome.toLowerCase();
  return missing === undefined ? error.code : `${error.code}: ${missing.scope}`;
}
