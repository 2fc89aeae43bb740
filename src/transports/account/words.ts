import { listed, upperFirst } from '../../core/words.js';
import { html, type Html } from '../../oauth/pages/html.js';
import { counted } from '../../oauth/pages/in-words.js';
import type { Dimension, RecordNode, Status } from './documents.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A time in UTC, to the minute. */
export const time = (iso: string): Html =>
  html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`;

/** A duration in its largest two units, such as `2 hours 5 minutes`; `less than a minute` for a shorter one. */
export function duration(ms: number): string {
  const days = Math.floor(ms / dayMs);
  const hours = Math.floor((ms % dayMs) / hourMs);
  const minutes = Math.floor((ms % hourMs) / minuteMs);
  const parts = [
    days > 0 ? counted(days, 'day') : '',
    hours > 0 ? counted(hours, 'hour') : '',
    minutes > 0 && days === 0 ? counted(minutes, 'minute') : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'less than a minute' : parts.join(' ');
}

export const statusWords: Readonly<Record<Status, string>> = {
  ACTIVE: 'Under way',
  COMPLETED: 'Done',
  REVOKED: 'Taken back',
  EXPIRED: 'Its time has passed',
};

/** Names of values. */
type Names = ReadonlyMap<string, string>;

const classifications = ['public', 'internal', 'confidential', 'restricted'];

const valuesLine = ({ dimension, values }: Dimension, self: string, names: Names): string => {
  if (dimension === 'person' && values.every((id) => id === self)) return 'Only your own account';
  if (dimension !== 'classification')
    return `${upperFirst(dimension)}: ${listed(
      values.map((value) => names.get(value) ?? value),
      'and',
    )}`;
  const known = classifications.filter((one) => values.includes(one));
  return `Documents marked ${listed(known.length === values.length ? known : values, 'or')}`;
};

/**
 * A boundary as lines, such as `Every customer and region` and `Documents marked public or internal`.
 * @param self the id of the reader
 */
export function boundaryLines(boundary: readonly Dimension[], self: string, names: Names): string[] {
  const every = boundary.filter(({ all }) => all).map(({ dimension }) => dimension);
  // No agent reaches accounts, so their absence tells nothing.
  const none = boundary.filter((one) => !one.all && one.values.length === 0 && one.dimension !== 'person');
  const some = boundary.filter(({ all, values }) => !all && values.length > 0);
  return [
    ...some.map((one) => valuesLine(one, self, names)),
    ...(every.length === 0 ? [] : [`Every ${listed(every, 'and')}`]),
    ...none.map(({ dimension }) => `No ${dimension}`),
  ];
}

const outcomes: Readonly<Record<RecordNode['outcome'], string>> = {
  SUCCEEDED: 'done',
  PARTIAL: 'partly refused',
  REFUSED: 'refused',
  FAILED: 'failed',
};

const kinds: Readonly<Record<string, string>> = {
  TOKEN: 'Asked for a token',
  REVOCATION: 'A token was ended',
  CONSENT: 'Consent',
  REJECTED: 'Turned away',
};

const actions: Readonly<Record<string, string>> = {
  read: 'read',
  aggregate: 'counted',
  create: 'made',
  update: 'changed',
  delete: 'deleted',
};

/** One record in a line: when, which operation, its outcome, and the rows that it read and changed. */
export function recordLine(record: RecordNode): Html {
  const { at, kind, operationName, operationType, outcome, errors, resources, chain } = record;
  const named = operationName ?? `A ${operationType ?? 'request'} without a name`;
  // No agent acted: the person looked through the task.
  const looked = chain?.agents.length === 0 ? 'You looked: ' : '';
  const what = kind === 'GRAPHQL' ? `${looked}${named}` : kinds[kind];
  const codes = [...new Set(errors.map(({ code }) => code))];
  const touched = resources.flatMap(({ type, action, count: rows }) =>
    rows === 0 ? [] : [`${actions[action] ?? action} ${rows.toLocaleString('en')} × ${type}`],
  );
  return html`<li>
    ${time(at)} · <strong>${what ?? kind}</strong> ·
    <span ${outcome === 'SUCCEEDED' ? undefined : html`class="fault"`}>${outcomes[outcome]}</span>${
      codes.length === 0 ? undefined : html` (${codes.join(', ')})`
    }${touched.length === 0 ? undefined : html` · ${touched.join(', ')}`}
  </li>`;
}
