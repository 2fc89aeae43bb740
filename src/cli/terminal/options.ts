import { InvalidArgumentError } from 'commander';
import { isoTime } from '../../core/clock.js';
import { BehalfError } from '../../core/errors.js';
import { isId } from '../../core/ids.js';
import { timeReader } from '../../import/time-formats.js';

/** The option that names the person of a command that writes. */
export const asOption = ['--as <user>', 'the person who decides this, as the record will name them'] as const;

/** Parses an option that is a whole number, 0 or more. */
export function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

/** Parses an option that is a whole number, 1 or more. */
export function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number > 0) return number;
  throw new InvalidArgumentError('It must be at least 1.');
}

/** Parses an option that is one of these words, in small letters or capitals. */
export const oneOf =
  <Word extends string>(words: readonly Word[]) =>
  (text: string): Word => {
    const word = words.find((each) => each.toLowerCase() === text.toLowerCase());
    if (word !== undefined) return word;
    throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
  };

/** Parses an option that is an id. */
export function idOf(text: string): string {
  if (isId(text)) return text;
  throw new InvalidArgumentError('It must be an id: 26 digits and capital letters.');
}

const unitsMs: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
/** Parses an option that is a length of time, such as `90s` or `2h`; returns seconds. */
export function secondsOf(text: string): number {
  const [, count, unit = ''] = /^(\d{1,5})([smhd])$/.exec(text) ?? [];
  const seconds = (Number(count) * (unitsMs[unit] ?? 0)) / 1000;
  if (seconds > 0) return seconds;
  throw new InvalidArgumentError('Write a length of time such as 90s, 15m, 2h or 7d.');
}

/** Collects options of the form `dimension=value,value`. `dimension=all` allows every value. */
export function boundaryOf(
  text: string,
  before: Readonly<Record<string, readonly string[] | 'all'>> = {},
): Record<string, readonly string[] | 'all'> {
  const [, dimension, values] = /^([a-z][a-z0-9_]*)=(.*)$/.exec(text) ?? [];
  if (dimension === undefined || values === undefined)
    throw new InvalidArgumentError('Write dimension=value,value or dimension=all: customer=C-1042.');
  const named = values.split(',').map((value) => value.trim());
  if (dimension in before || named.includes(''))
    throw new InvalidArgumentError('Name each dimension once, with at least one value.');
  return { ...before, [dimension]: values === 'all' ? 'all' : named };
}

/** Collects options of the form `claim=value`. */
export function claimOf(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, claim, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (claim === undefined || value === undefined)
    throw new InvalidArgumentError('Write claim=value: repository=acme/desk.');
  if (Object.hasOwn(before, claim)) throw new InvalidArgumentError('Name each claim once.');
  return { ...before, [claim]: value };
}

/** Parses an option of the form `san_uri=…`: a name in a certificate. */
export function certificateNameOf(text: string): { kind: string; value: string } {
  const [, kind, value] = /^([a-z_]+)=(.+)$/s.exec(text) ?? [];
  if (kind !== undefined && value !== undefined) return { kind, value };
  throw new InvalidArgumentError('Write kind=name: san_uri=spiffe://acme.example/desk.');
}

/** The options by which agents and clients are authenticated by certificates, and their tokens are bound. */
export const certificatesOption = [
  '--certificates <file>',
  'its own certificates in PEM, self-signed, for mutual TLS instead of a secret or key',
] as const;
export const certificateNameOption = [
  '--certificate-name <kind=name>',
  'the name in its certificates of an authority: san_uri=…, san_dns=…, san_ip=…, san_email=…, subject_dn=…',
  certificateNameOf,
] as const;
const tokenBinding = (usually: string) =>
  [
    '--token-binding <binding>',
    `what its access tokens must be bound to: any, dpop or certificate${usually}`,
    oneOf(['any', 'dpop', 'certificate']),
  ] as const;
export const tokenBindingOption = tokenBinding(' (default: any)');
export const newTokenBindingOption = tokenBinding('');

const isoTimeOf = timeReader(undefined);
const howToWriteTimes =
  'Write a date, or a date and a time of day, in UTC unless it says otherwise (2026-03-01, 2026-03-01T09:30, ' +
  '2026-03-01T09:30:00+01:00), or how long ago (90s, 15m, 2h, 7d).';

/** Parses an option that is a time: ISO 8601, in UTC unless it names an offset; or an age such as `2h`. */
export function momentOf(text: string): string {
  const [, count, unit = ''] = /^(\d{1,5})([smhd])$/.exec(text) ?? [];
  try {
    return count === undefined ? isoTimeOf(text) : isoTime(Date.now() - Number(count) * (unitsMs[unit] ?? 0));
  } catch (error) {
    if (!(error instanceof BehalfError)) throw error;
    throw new InvalidArgumentError(howToWriteTimes);
  }
}

export const sinceOption = [
  '--since <time>',
  'from this time on: 2026-03-01T09:30, in UTC unless it names an offset, or 15m, 2h, 7d ago',
  momentOf,
] as const;
