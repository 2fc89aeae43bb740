import { upperFirst } from '../../core/words.js';

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** `3 hours`: in the largest unit that divides it. */
export function duration(seconds: number): string {
  const [unit, size] = units.find(([, each]) => seconds >= each && seconds % each === 0) ?? ['second', 1];
  return counted(seconds / size, unit);
}

/** `1 request`, `5,000 requests`. */
export const counted = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

const dayOf = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
});

/** `1 March 2026`, the day in UTC. */
export const day = (iso: string): string => dayOf.format(new Date(iso));

/** `Document collections` of `document_collections`. */
export const heading = (name: string): string => upperFirst(name.replaceAll('_', ' '));

const momentOf = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
});

/** `1 March 2026 at 12:00 UTC`. */
export const moment = (iso: string): string => `${momentOf.format(new Date(iso))} UTC`;
