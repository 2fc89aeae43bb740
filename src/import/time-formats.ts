import { isoTime } from '../core/clock.js';
import { badInput } from '../core/errors.js';

const tokens: Readonly<Record<string, string>> = {
  YYYY: '(?<year>\\d{4})',
  MM: '(?<month>\\d{2})',
  DD: '(?<day>\\d{2})',
  M: '(?<month>\\d{1,2})',
  D: '(?<day>\\d{1,2})',
  H: '(?<hour>\\d{1,2})',
  HH: '(?<hour>\\d{2})',
  mm: '(?<minute>\\d{2})',
  ss: '(?<second>\\d{2})',
  SSS: '(?<ms>\\d{3})',
};

const iso =
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})(?:[T ](?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.(?<ms>\d{1,3})\d*)?)?(?<zone>Z|[+-]\d{2}:\d{2})?)?$/;

/** The years that both databases can store as a time in UTC: those of four digits. */
const [yearMin, yearMax] = [1000, 9999];
/** The largest offset from UTC on Earth. */
const offsetMinutesMax = 14 * 60;

const parts = /YYYY|MM?|DD?|HH?|mm|SSS|ss/g;

/**
 * Whether a text is a time format such as `DD.MM.YYYY HH:mm`: it has year, month and day, and each token at
 * most once. `D.M.YYYY` means no leading zeros.
 */
export function isTimeFormat(format: string): boolean {
  const found = (format.match(parts) ?? []).map((token) => (token.length < 3 ? token.charAt(0) : token));
  return new Set(found).size === found.length && ['YYYY', 'M', 'D'].every((token) => found.includes(token));
}

/**
 * Reads times as UTC with milliseconds. Without a format it accepts ISO 8601, with or without a time of day;
 * only then may the text have a time zone.
 */
export function timeReader(format: string | undefined): (text: string) => string {
  const pattern = format === undefined ? iso : patternOf(format);
  const shape = format ?? 'YYYY-MM-DD HH:mm:ss.SSS';
  return (text) => {
    const found = pattern.exec(text)?.groups;
    if (found === undefined) throw badInput(`${quoted(text)} is no time written ${shape}.`);
    const number = (name: string): number => Number(found[name] ?? 0);
    const ms = Number((found.ms ?? '0').padEnd(3, '0'));
    const date = [number('year'), number('month') - 1, number('day')] as const;
    const time = [number('hour'), number('minute'), number('second'), ms] as const;
    const local = Date.UTC(...date, ...time);
    const there = new Date(local);
    const exists =
      there.getUTCFullYear() === date[0] &&
      there.getUTCMonth() === date[1] &&
      there.getUTCDate() === date[2] &&
      there.getUTCHours() === time[0] &&
      time[1] < 60 &&
      time[2] < 60;
    if (!exists) throw badInput(`${JSON.stringify(text)} is no time of the calendar.`);
    const utc = local - offsetMs(text, found.zone);
    const year = new Date(utc).getUTCFullYear();
    if (year < yearMin || year > yearMax)
      throw badInput(
        `${JSON.stringify(text)} lies outside the years ${String(yearMin)} to ${String(yearMax)} in UTC.`,
      );
    return isoTime(utc);
  };
}

function patternOf(format: string): RegExp {
  const source = format.replace(/YYYY|MM?|DD?|HH?|mm|SSS|ss|[^\w\s]/g, (part) => tokens[part] ?? `\\${part}`);
  return new RegExp(`^${source}$`);
}

function offsetMs(text: string, zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
  const offset = hours * 60 + minutes;
  if (minutes > 59 || offset > offsetMinutesMax)
    throw badInput(`${JSON.stringify(text)} has no offset of a place: they reach from -14:00 to +14:00.`);
  return offset * (zone.startsWith('-') ? -60_000 : 60_000);
}

/** A text in quotes, with invisible characters as escapes. */
export const quoted = (text: string): string =>
  JSON.stringify(text).replace(/[\p{Cf}\p{Zs}]/gu, (letter) =>
    letter === ' ' ? letter : `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
