import type { AnswerShape } from './answer-shape.js';
import { PageInAnswer } from './page-in-answer.js';
import type { Cutting } from './shown-part.js';

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
  readonly data: unknown;
  /** Of the data; undefined where the document is not known. */
  readonly shape?: AnswerShape | undefined;
  /** Whether it tells a change that was made. */
  readonly isChange?: boolean | undefined;
}

/** The lists that have to be cut, and how. */
export interface CutLists extends Cutting {
  readonly cut: readonly Cut[];
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
  readonly values: readonly unknown[];
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
 * Cuts the ends of the longest lists, until the JSON of the data as it is shown and of the cuts has so many characters
 * at most. A list keeps its first element. The lists of a page keep the same rows, and the page ends with the last of
 * them. A sentence in place of the cuts says why no cutting of lists suffices.
 */
export function cutLists(answer: LongAnswer, charactersMax: number): CutLists | string {
  const { data, shape, isChange = false } = answer;
  const measuring = new Measuring(charactersMax);
  const { lists } = measuring;
  let size = measuring.sizeOf(data, { at: undefined, around: undefined, shape });
  const shortened = new Set<MeasuredList>();
  for (;;) {
    const cuts = [...shortened].filter(isShown).map((list) => cutOf(list, isChange));
    const excess = size + JSON.stringify(cuts).length - charactersMax;
    if (excess <= 0) return { cut: cuts, ...cuttingOf([...shortened]) };
    const list = longest(lists);
    if (list === undefined) return isChange ? done + doneTooLong : tooLong;
    if (cuts.length > cutsMax) return isChange ? done + doneTooLong : tooManyLists;
    size -= shorten(list, excess);
    for (const each of listsOf(list)) if (each.sizes.length < each.of) shortened.add(each);
  }
}

const cuttingOf = (lists: readonly MeasuredList[]): Cutting => ({
  lengths: new Map(lists.map(({ values, sizes }) => [values, sizes.length])),
  replaced: new Map(lists.flatMap(({ page }) => [...(page?.page.infos ?? [])])),
});

const done = 'It was done, so do not send it again: ';
const doneTooLong = 'its answer is too long. Read less of it by `query`.';
const tooLong =
  'The answer is too long, also with one row of each list. Select fewer fields at once; a long document is read by its `passages`.';
const tooManyLists = `More than ${String(cutsMax)} lists would be cut. Ask for smaller pages, or for fewer lists at once.`;

/** Measures a value and finds the lists within it. */
class Measuring {
  readonly lists: MeasuredList[] = [];
  /** Characters of each name as JSON: many rows have the same. */
  private readonly names = new Map<string, number>();

  /** @param charactersMax what is longer is not measured exactly: it cannot be shown */
  constructor(private readonly charactersMax: number) {}

  /** The characters of a value as JSON, as it is shown. */
  sizeOf(value: unknown, place: Place): number {
    if (Array.isArray(value)) return this.sizeOfList(value as readonly unknown[], place);
    return isLeaf(value)
      ? this.sizeOfLeaf(value)
      : this.sizeOfObject(value as Readonly<Record<string, unknown>>, place);
  }

  private sizeOfObject(value: Readonly<Record<string, unknown>>, { at, around, shape }: Place): number {
    const found = PageInAnswer.of(value, shape);
    const page = found && { page: found, lists: [] };
    let size = 1;
    for (const name of Object.keys(value)) {
      const member = value[name];
      if (member === null || member === undefined) continue;
      // With a colon and a comma or bracket.
      size += this.sizeOfName(name) + 2;
      if (isLeaf(member)) size += this.sizeOfLeaf(member);
      else {
        const ofPage = found?.lists.includes(name) === true ? page : undefined;
        const place = { at: { name, before: at }, around, shape: shape?.under(name), page: ofPage };
        size += this.sizeOf(member, place);
      }
    }
    return Math.max(2, size);
  }

  private sizeOfLeaf(value: unknown): number {
    if (typeof value !== 'string') return String(value).length;
    return value.length > this.charactersMax ? value.length : charactersOf(value);
  }

  private sizeOfName(name: string): number {
    let size = this.names.get(name);
    if (size === undefined) this.names.set(name, (size = charactersOf(name)));
    return size;
  }

  private sizeOfList(values: readonly unknown[], { at, around, shape, page }: Place): number {
    const of = values.length;
    const list: MeasuredList = { values, at, of, around, page, sizes: [], size: 2, largest: 0 };
    this.lists.push(list);
    page?.lists.push(list);
    for (const [place, value] of values.entries()) {
      const within = { at: { name: place, before: at }, around: { list, place }, shape };
      const size = 1 + this.sizeOf(value, within);
      list.sizes.push(size);
      list.size += size;
      list.largest = Math.max(list.largest, size);
    }
    // Brackets, and one comma fewer than elements.
    if (of > 0) list.size -= 1;
    return list.size;
  }
}

const isLeaf = (value: unknown): boolean => typeof value !== 'object' || value === null;

// eslint-disable-next-line no-control-regex -- JSON escapes them
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Of a text as JSON. */
const charactersOf = (text: string): number =>
  escaped.test(text) ? JSON.stringify(text).length : text.length + 2;

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
