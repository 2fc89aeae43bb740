import { visibleLine } from '../../core/checked-text.js';
import type { ConsentChoice, ConsentOffer, FoundValues, OfferedDimension } from '../contract/dependencies.js';
import { fieldOf } from '../pages/consent-reach.js';

/** The choices in a form. Scopes and listed values that are not in the offer are dropped. */
export interface Ticks {
  readonly scopes: ReadonlySet<string>;
  /** The ticked values of each dimension. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** The search term of each dimension. */
  readonly terms: ReadonlyMap<string, string>;
  /** Undefined where the form has no number within the offer. */
  readonly seconds: number | undefined;
  /** About the one task: what the agent said, or else what the person typed. */
  readonly words: { readonly purpose: string; readonly task: string };
}

/** The values found in each dimension that is searched. */
export type Found = ReadonlyMap<string, FoundValues>;

const chosenMax = 200;

/** The first state of the page: everything in the offer is allowed. */
export const allOf = (offer: ConsentOffer): Ticks => ({
  scopes: new Set(offer.scopes.map(({ name }) => name)),
  values: new Map(
    offer.boundary.map(({ dimension, narrowing }) => [
      dimension,
      narrowing.kind === 'offered' ? narrowing.values.map(({ value }) => value) : [],
    ]),
  ),
  terms: new Map(),
  seconds: offer.seconds.usual,
  words: wordsIn(new URLSearchParams(), offer),
});

export function ticksIn(form: URLSearchParams, offer: ConsentOffer): Ticks {
  const { scopes, boundary, seconds } = offer;
  const ticked = new Set(form.getAll('scope'));
  return {
    scopes: new Set(scopes.flatMap(({ name }) => (ticked.has(name) ? [name] : []))),
    values: new Map(boundary.map((one) => [one.dimension, valuesIn(form, one)])),
    terms: new Map(boundary.map(({ dimension }) => [dimension, form.get(fieldOf(dimension).term) ?? ''])),
    seconds: wholeUpTo(seconds.max, form.get('seconds')),
    words: wordsIn(form, offer),
  };
}

const wordsIn = (form: URLSearchParams, { task }: ConsentOffer): Ticks['words'] => ({
  purpose: task?.purpose ?? form.get('purpose') ?? '',
  task: task?.task ?? form.get('task') ?? '',
});

function wholeUpTo(max: number, text: string | null): number | undefined {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 1 && value <= max ? value : undefined;
}

function valuesIn(form: URLSearchParams, { dimension, narrowing }: OfferedDimension): string[] {
  if (narrowing.kind === 'none') return [];
  const ticked = [...new Set(form.getAll(fieldOf(dimension).values))].slice(0, chosenMax);
  if (narrowing.kind === 'search') return ticked;
  const offered = new Set(narrowing.values.map(({ value }) => value));
  return ticked.filter((value) => offered.has(value));
}

/** Whether a list that needs a tick has none. */
export const isEmpty = (offer: ConsentOffer, { scopes, values }: Ticks): boolean =>
  scopes.size === 0 ||
  offer.boundary.some(
    ({ dimension, narrowing }) => narrowing.kind === 'offered' && (values.get(dimension) ?? []).length === 0,
  );

/** Whether the person searched in a dimension and ticked nothing there, so that their choice is unclear. */
export const isUnfinished = ({ terms, values }: Ticks): boolean =>
  [...terms].some(([dimension, term]) => term.trim() !== '' && (values.get(dimension) ?? []).length === 0);

/** Whether the one task has no purpose or no reference that a delegation can keep. */
export const isUntold = ({ task }: ConsentOffer, { words }: Ticks): boolean =>
  task !== undefined && !(isLine(words.purpose, 500) && isLine(words.task, 200));

function isLine(text: string, lengthMax: number): boolean {
  try {
    return visibleLine(text, lengthMax, '') !== '';
  } catch {
    return false;
  }
}

/** Where all values are offered, no tick means all of them. */
export const choiceOf = ({ scopes, values }: Ticks, seconds: number): ConsentChoice => ({
  scopes: [...scopes],
  seconds,
  boundary: Object.fromEntries([...values].filter(([, ticked]) => ticked.length > 0)),
});

/** Whether a ticked value cannot be found: it was deleted, or the person may not read it. */
export const isGone = ({ values }: Ticks, found: Found): boolean =>
  [...found].some(([dimension, { chosen }]) => chosen.length !== (values.get(dimension) ?? []).length);
