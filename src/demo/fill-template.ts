import { moneyOf } from '../core/money.js';

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });

export const spokenDate = (ms: number): string => day.format(ms);
export const spokenMoney = (minor: number): string =>
  `EUR ${moneyOf(minor, 'EUR').amount.replace(/\B(?=(\d{3})+\.)/g, ',')}`;

/** Replaces `{name}` by values. A name without a value is an error of the template. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`The template has no value for {${name}}: ${template}`);
    return value;
  });
}
