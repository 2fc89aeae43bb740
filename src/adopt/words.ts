import { plural, upperFirst } from '../core/words.js';

/** The words in a name, in Latin letters: `État civil` is `etat`, `civil`. */
const parts = (name: string): string[] =>
  name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((part) => part !== '')
    .map((part) => part.toLowerCase());

/** `categories` becomes `category`, `films` `film`. */
const singular = (word: string): string => {
  if (/[^aeiou]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(?:ss|us|is)$/.test(word)) return word;
  if (/(?:sh|ch|x|z|ss)es$/.test(word)) return word.slice(0, -2);
  return word.replace(/s$/, '');
};

const inLast = (words: readonly string[], change: (word: string) => string): string[] =>
  words.map((word, at) => (at === words.length - 1 ? change(word) : word));

/** A GraphQL name begins with a letter; a table's name may begin with a digit. */
const named = (name: string): string => (/^[a-z]/i.test(name) ? name : `t${name}`);

export interface TableWords {
  /** The GraphQL type, such as `FilmActor`. */
  readonly type: string;
  /** Words for one row and for many: `film actor`, `film actors`. */
  readonly one: string;
  readonly many: string;
  /** Field names for one row and for many: `filmActor`, `filmActors`. */
  readonly field: string;
  readonly fields: string;
  /** The resource in scopes: `film_actors`. */
  readonly resource: string;
  /** The scope by which rows are there, where it is not the resource's. */
  readonly scope?: string;
}

export function tableWords(table: string): TableWords {
  const found = parts(table);
  const one = found.length === 0 ? ['table'] : inLast(found, singular);
  const many = inLast(one, plural);
  return {
    type: upperFirst(named(one.map(upperFirst).join(''))),
    one: one.join(' '),
    many: many.join(' '),
    field: camel(one),
    fields: camel(many),
    resource: named(many.join('_')),
  };
}

/** The field of a column: `rental_date` is `rentalDate`. */
export const fieldOf = (column: string): string => {
  const found = parts(column);
  return found.length === 0 ? 'column' : camel(found);
};

const camel = (words: readonly string[]): string => {
  const joined = words.map((word, at) => (at === 0 ? word : upperFirst(word))).join('');
  return joined === '' || /^\d/.test(joined) ? `c${upperFirst(joined)}` : joined;
};
