import { plural, upperFirst } from '../../core/words.js';
import type { FilterKind } from './declaration.js';

/** The words for a field: `placedAt` is the placed time, `creditLimit` the credit limit. */
export const wordsOf = (field: string): { readonly one: string; readonly many: string } => {
  const one = field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return { one, many: plural(one) };
};

const timeSuffix = /At$/;

/** The name of a condition in the filter: `numbers`, `nameStartsWith`, `placedAfter`, `totalAtLeast`. */
export function filterName(field: string, by: FilterKind): string {
  switch (by) {
    case 'EQUALS':
      return field;
    case 'ONE_OF':
      return plural(field);
    case 'STARTS_WITH':
      return `${field}StartsWith`;
    case 'FROM':
      return `${field.replace(timeSuffix, '')}After`;
    case 'BEFORE':
      return `${field.replace(timeSuffix, '')}Before`;
    case 'AT_LEAST':
      return `${field}AtLeast`;
    case 'AT_MOST':
      return `${field}AtMost`;
  }
}

/** A field with its words. */
export interface NamedField {
  readonly name: string;
  readonly type: string;
  readonly one: string;
  readonly many: string;
}

/** `placedAt` as a past participle: `placed`. Undefined where the name does not end so. */
const eventOf = (name: string): string | undefined =>
  timeSuffix.test(name) ? wordsOf(name.replace(timeSuffix, '')).one : undefined;

export function usualFilterText({ name, type, one, many }: NamedField, by: FilterKind): string {
  const event = eventOf(name);
  const subject = event === undefined ? `With the ${one}` : upperFirst(event);
  const inCurrency = type === 'Money' ? ', in its currency' : '';
  switch (by) {
    case 'EQUALS':
      return `With this very ${one}.`;
    case 'ONE_OF':
      return `With one of these ${many}.`;
    case 'STARTS_WITH':
      return `Whose ${one} begins so, in this very spelling.`;
    case 'FROM':
      return `${subject} at this time or later.`;
    case 'BEFORE':
      return event === undefined ? `With the ${one} before this time.` : `${subject} before this time.`;
    case 'AT_LEAST':
      return type === 'Money'
        ? `Of at least this amount${inCurrency}.`
        : `With the ${one} so high or higher.`;
    case 'AT_MOST':
      return type === 'Money' ? `Of at most this amount${inCurrency}.` : `With the ${one} so high or lower.`;
  }
}

export function usualSortText({ name, type, one }: NamedField): string {
  const event = eventOf(name);
  if (event !== undefined) return `By the time of being ${event}.`;
  return type === 'Money' ? `By ${one}, currencies side by side.` : `By ${one}.`;
}
