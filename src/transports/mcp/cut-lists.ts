/** A list that was cut. */
export interface Cut {
  /** Its place in the data: names and places in lists, with dots between. */
  readonly path: string;
  readonly shown: number;
  readonly of: number;
  readonly next: string;
}

/** Lists that are cut in one result. */
const cutsMax = 20;

/** The way to a value within the data. */
interface Step {
  readonly name: string | number;
  readonly before: Step | undefined;
}

/** A list within the data, as far as it is shown. */
interface MeasuredList {
  readonly values: unknown[];
  readonly at: Step | undefined;
  readonly of: number;
  /** The list around it, and the place of the element there that holds this one. */
  readonly around: Around | undefined;
  /** Characters of each element that is shown as JSON, with its comma or bracket. */
  readonly sizes: number[];
  size: number;
  /** Of its largest element. */
  largest: number;
}

interface Around {
  readonly list: MeasuredList;
  readonly place: number;
}

/**
 * Cuts the ends of the longest lists, until the JSON of the data and of the cuts has so many characters at most. A list
 * keeps its first element. The values are changed in place; undefined where no cutting of lists suffices.
 */
export function cutLists(data: unknown, charactersMax: number): readonly Cut[] | undefined {
  const lists: MeasuredList[] = [];
  let size = measure(data, undefined, undefined, lists);
  const shortened = new Set<MeasuredList>();
  for (;;) {
    const cuts = [...shortened].filter(isShown).map(cutOf);
    const excess = size + JSON.stringify(cuts).length - charactersMax;
    if (excess <= 0) {
      for (const { values, sizes } of shortened) values.length = sizes.length;
      return cuts;
    }
    const list = longest(lists);
    if (list === undefined || cuts.length > cutsMax) return undefined;
    size -= shorten(list, excess);
    shortened.add(list);
  }
}

/** The characters of a value as JSON. Adds the lists within it to `lists`. */
function measure(
  value: unknown,
  at: Step | undefined,
  around: Around | undefined,
  lists: MeasuredList[],
): number {
  if (typeof value === 'string') return charactersOf(value);
  if (typeof value !== 'object' || value === null) return String(value).length;
  if (Array.isArray(value)) return measureList(value as unknown[], at, around, lists);
  let size = 1;
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name];
    size += charactersOf(name) + 2;
    size += isLeaf(member)
      ? measure(member, undefined, undefined, lists)
      : measure(member, { name, before: at }, around, lists);
  }
  return Math.max(2, size);
}

const isLeaf = (value: unknown): boolean => typeof value !== 'object' || value === null;

// eslint-disable-next-line no-control-regex -- JSON escapes them
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Of a text as JSON. */
const charactersOf = (text: string): number =>
  escaped.test(text) ? JSON.stringify(text).length : text.length + 2;

function measureList(
  values: unknown[],
  at: Step | undefined,
  around: Around | undefined,
  lists: MeasuredList[],
): number {
  const list: MeasuredList = { values, at, of: values.length, around, sizes: [], size: 2, largest: 0 };
  lists.push(list);
  for (const [place, value] of values.entries()) {
    const size = 1 + measure(value, { name: place, before: at }, { list, place }, lists);
    list.sizes.push(size);
    list.size += size;
    list.largest = Math.max(list.largest, size);
  }
  // Brackets, and one comma fewer than elements.
  if (values.length > 0) list.size -= 1;
  return list.size;
}

const largestOf = ({ sizes }: MeasuredList): number => sizes.reduce((most, size) => Math.max(most, size), 0);

/** The list that takes the most room beside its largest element. */
function longest(lists: readonly MeasuredList[]): MeasuredList | undefined {
  let best: MeasuredList | undefined;
  for (const list of lists)
    if (list.sizes.length > 1 && (best === undefined || restOf(list) > restOf(best)) && isShown(list))
      best = list;
  return best;
}

const restOf = ({ size, largest }: MeasuredList): number => size - largest;

/** False for a list within an element that was cut off. */
const isShown = ({ around }: MeasuredList): boolean =>
  around === undefined || (around.place < around.list.sizes.length && isShown(around.list));

/** Takes elements from the end, about half of the list at most; returns how many characters fewer there are. */
function shorten(list: MeasuredList, excess: number): number {
  const enough = Math.min(excess, list.size / 2);
  let gone = 0;
  while (gone < enough && list.sizes.length > 1) gone += list.sizes.pop() ?? 0;
  shrink(list, gone);
  for (let { around } = list; around !== undefined; { around } = around.list) {
    const { sizes } = around.list;
    sizes[around.place] = (sizes[around.place] ?? 0) - gone;
    shrink(around.list, gone);
  }
  return gone;
}

function shrink(list: MeasuredList, gone: number): void {
  list.size -= gone;
  list.largest = largestOf(list);
}

function cutOf({ at, of, sizes }: MeasuredList): Cut {
  const names: (string | number)[] = [];
  for (let step = at; step !== undefined; step = step.before) names.unshift(step.name);
  const shown = sizes.length;
  const next = `Ask again with \`first: ${String(shown)}\`, then go on with \`after: pageInfo.endCursor\`, or select fewer fields.`;
  return { path: names.join('.'), shown, of, next };
}
