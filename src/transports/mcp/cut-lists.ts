import type { AnswerShape } from './answer-shape.js';
import { PageInAnswer } from './page-in-answer.js';

/** A list that was cut. */
export interface Cut {
  /** Its place in the data: names and places in lists, with dots between. */
  readonly path: string;
  readonly shown: number;
  readonly of: number;
  readonly next: string;
}

/** The answer to an operation that is too long. */
export interface LongAnswer {
  /** Changed in place. */
  readonly data: unknown;
  /** Of the data; undefined where the document is not known. */
  readonly shape?: AnswerShape | undefined;
  /** Whether it tells a change that was made. */
  readonly isChange?: boolean | undefined;
}

/** Lists that are cut in one result. */
const cutsMax = 20;

/** The way to a value within the data. */
interface Step {
  readonly name: string | number;
  readonly before: Step | undefined;
}

/** The place of a value in the data. */
interface Place {
  readonly at: Step | undefined;
  readonly around: Around | undefined;
  readonly shape: AnswerShape | undefined;
  /** The page that the value is a member of. */
  readonly page?: PageOfLists | undefined;
}

interface PageOfLists {
  readonly page: PageInAnswer;
  readonly lists: MeasuredList[];
}

/** A list within the data, as far as it is shown. */
interface MeasuredList {
  readonly values: unknown[];
  readonly at: Step | undefined;
  readonly of: number;
  /** The list around it, and the place of the element there that holds this one. */
  readonly around: Around | undefined;
  /** The page whose rows it holds. */
  readonly page: PageOfLists | undefined;
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
 * keeps its first element. The lists of a page keep the same rows, and the page ends with the last of them. A sentence
 * in place of the cuts says why no cutting of lists suffices.
 */
export function cutLists(answer: LongAnswer, charactersMax: number): readonly Cut[] | string {
  const { data, shape, isChange = false } = answer;
  const lists: MeasuredList[] = [];
  let size = measure(data, { at: undefined, around: undefined, shape }, lists);
  const shortened = new Set<MeasuredList>();
  for (;;) {
    const cuts = [...shortened].filter(isShown).map((list) => cutOf(list, isChange));
    const excess = size + JSON.stringify(cuts).length - charactersMax;
    if (excess <= 0) {
      for (const { values, sizes } of shortened) values.length = sizes.length;
      return cuts;
    }
    const list = longest(lists);
    if (list === undefined) return isChange ? done + doneTooLong : tooLong;
    if (cuts.length > cutsMax) return isChange ? done + doneTooLong : tooManyLists;
    size -= shorten(list, excess);
    for (const each of listsOf(list)) if (each.sizes.length < each.of) shortened.add(each);
  }
}

const done = 'It was done, so do not send it again: ';
const doneTooLong = 'its answer is too long. Read less of it by `query`.';
const tooLong =
  'The answer is too long, also with one row of each list. Select fewer fields at once; a long document is read by its `passages`.';
const tooManyLists = `More than ${String(cutsMax)} lists would be cut. Ask for smaller pages, or for fewer lists at once.`;

/** The characters of a value as JSON. Adds the lists within it to `lists`. */
function measure(value: unknown, place: Place, lists: MeasuredList[]): number {
  if (typeof value === 'string') return charactersOf(value);
  if (typeof value !== 'object' || value === null) return String(value).length;
  if (Array.isArray(value)) return measureList(value as unknown[], place, lists);
  return measureObject(value as Readonly<Record<string, unknown>>, place, lists);
}

function measureObject(
  value: Readonly<Record<string, unknown>>,
  { at, around, shape }: Place,
  lists: MeasuredList[],
): number {
  const found = PageInAnswer.of(value, shape);
  const page = found && { page: found, lists: [] };
  let size = 1;
  for (const name of Object.keys(value)) {
    const member = value[name];
    size += charactersOf(name) + 2;
    if (isLeaf(member)) size += measure(member, nowhere, lists);
    else {
      const ofPage = found?.lists.includes(name) === true ? page : undefined;
      const place = { at: { name, before: at }, around, shape: shape?.under(name), page: ofPage };
      size += measure(member, place, lists);
    }
  }
  return Math.max(2, size);
}

const nowhere: Place = { at: undefined, around: undefined, shape: undefined };
const isLeaf = (value: unknown): boolean => typeof value !== 'object' || value === null;

// eslint-disable-next-line no-control-regex -- JSON escapes them
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Of a text as JSON. */
const charactersOf = (text: string): number =>
  escaped.test(text) ? JSON.stringify(text).length : text.length + 2;

function measureList(values: unknown[], { at, around, shape, page }: Place, lists: MeasuredList[]): number {
  const of = values.length;
  const list: MeasuredList = { values, at, of, around, page, sizes: [], size: 2, largest: 0 };
  lists.push(list);
  page?.lists.push(list);
  for (const [place, value] of values.entries()) {
    const within = { at: { name: place, before: at }, around: { list, place }, shape };
    const size = 1 + measure(value, within, lists);
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

/** A list, with the others of the same page. */
const listsOf = (list: MeasuredList): readonly MeasuredList[] => list.page?.lists ?? [list];

/** Takes elements from the end, about half of the list at most; returns how many characters fewer there are. */
function shorten(list: MeasuredList, excess: number): number {
  const rows = rowsWithin(list, Math.min(excess, list.size / 2));
  let gone = 0;
  for (const each of listsOf(list)) {
    const before = each.size;
    shrink(
      each,
      each.sizes.splice(rows).reduce((sum, size) => sum + size, 0),
    );
    gone += before - each.size;
  }
  gone += list.page?.page.endAfter(rows) ?? 0;
  for (let { around } = list; around !== undefined; { around } = around.list) {
    const { sizes } = around.list;
    sizes[around.place] = (sizes[around.place] ?? 0) - gone;
    shrink(around.list, gone);
  }
  return gone;
}

/** The rows that are left, at least one, where so many characters have to go. */
function rowsWithin({ sizes }: MeasuredList, enough: number): number {
  let gone = 0;
  let rows = sizes.length;
  while (gone < enough && rows > 1) {
    rows -= 1;
    gone += sizes[rows] ?? 0;
  }
  return rows;
}

function shrink(list: MeasuredList, gone: number): void {
  list.size -= gone;
  list.largest = largestOf(list);
}

function cutOf({ at, of, sizes, page }: MeasuredList, isChange: boolean): Cut {
  const names: (string | number)[] = [];
  for (let step = at; step !== undefined; step = step.before) names.unshift(step.name);
  const shown = sizes.length;
  const next = isChange ? `${done}read the rest by \`query\`.` : goOn(shown, page?.page);
  return { path: names.join('.'), shown, of, next };
}

function goOn(shown: number, page: PageInAnswer | undefined): string {
  if (page === undefined) return 'It has no pages: select less of it, or fewer rows around it.';
  return page.hasCursor
    ? 'Go on with `after`: the cursor of the last row that is shown.'
    : `Ask again with \`first: ${String(shown)}\`, then go on with \`after: pageInfo.endCursor\`, or select fewer fields.`;
}
