import type { AuditBody, Outcome } from '../../audit/record.js';
import { clean, paint } from '../terminal/output.js';

const styles: Readonly<Record<Outcome, 'green' | 'yellow' | 'red'>> = {
  succeeded: 'green',
  partial: 'yellow',
  refused: 'red',
  failed: 'red',
};

/** One record in one line: the time, the chain, the task, the operation, the rows touched and the outcome. */
export function recordLine(body: AuditBody): string {
  const parts = [
    paint('dim', body.at.replace('T', ' ')),
    paint('bold', who(body)),
    body.delegation === null ? '' : paint('cyan', clean(body.delegation.task)),
    what(body),
    touched(body),
    paint(styles[body.outcome], outcome(body)),
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function who({ chain, detail }: AuditBody): string {
  const known = [chain?.person ?? undefined, ...(chain?.agents ?? [])].flatMap((one) => one?.name ?? []);
  const names = known.length === 0 ? ['nobody'] : known;
  const operator = typeof detail.operator === 'string' ? ` (operator ${detail.operator})` : '';
  const inspection = detail.inspection === true ? ' (looks through)' : '';
  return clean(names.join(' → ') + operator + inspection);
}

function what({ kind, operation, detail }: AuditBody): string {
  const name = operation?.name ?? '';
  if (kind === 'graphql') return clean(`${operation?.type ?? 'operation'} ${name}`.trim());
  const about = kind === 'command' ? name : typeof detail.grantType === 'string' ? detail.grantType : '';
  return clean(`${kind.replace('_', ' ')} ${about.split(':').at(-1) ?? ''}`.trim());
}

const touched = ({ resources }: AuditBody): string =>
  clean(
    resources
      .map(({ action, type, count, looks = 0 }) => `${action} ${type} ×${String(count + looks)}`)
      .join(', '),
  );

function outcome({ outcome: word, errors, decisions, operation }: AuditBody): string {
  const codes = [...new Set(errors.map((error) => error.code))];
  const refusals = decisions
    .filter((decision) => decision.outcome === 'deny')
    .map(({ scope, layer }) => (layer === undefined ? scope : `${scope} by ${layer}`));
  const unregistered = operation?.unregistered === undefined ? [] : ['document not registered'];
  const why = [...codes, ...new Set(refusals), ...unregistered].join(', ');
  return clean(why === '' ? word : `${word}: ${why}`);
}
