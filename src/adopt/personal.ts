const words: readonly RegExp[] = [
  /(?:^|_)(?:first|last|sur|maiden|full|middle|contact|given|family)_?name/,
  /(?:^|_)(?:e_?mail|phone|mobile|fax|tel|telephone)(?:_|$)/,
  /(?:^|_)(?:address\d*|street|zip|postal_?code|post_?code)(?:_|$)/,
  /birth|(?:^|_)dob(?:_|$)|gender|(?:^|_)sex(?:_|$)|nationality|religion|marital/,
  /(?:^|_)(?:iban|bic|ssn|vat|passport|salary|wage|bank|tax_?id|tax_?number|account_?number|card_?number)(?:_|$)/,
  /passw|secret|(?:^|_)(?:pin|token|picture|photo|ip_?address|user_?name|login)(?:_|$)/,
];

const people =
  /(?:^|_)(?:customer|client|user|person|people|employee|staff|contact|member|patient|student|teacher|guest|driver|actor|author)s?(?:_|$)/;

/**
 * Whether a column looks by its name as if it held personal data. The column `name` does in a table of people. This is a
 * proposal: a person decides.
 */
export function looksPersonal(table: string, column: string): boolean {
  const name = snake(column);
  return words.some((word) => word.test(name)) || (name === 'name' && people.test(snake(table)));
}

const snake = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();
