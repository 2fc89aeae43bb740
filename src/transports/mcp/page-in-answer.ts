import { isRecord } from '../../operation/parameters.js';
import type { AnswerShape } from './answer-shape.js';
import { shownPart } from './shown-part.js';

/** A page of a connection in an answer. Its lists hold the same rows, so they are cut together. */
export class PageInAnswer {
  /** The keys of its lists. */
  readonly lists: readonly string[];
  /** Whether the cursor of the last row is in the answer. */
  hasCursor = false;
  /** Page information as it is shown, by that of the answer. */
  readonly infos = new Map<object, object>();

  private constructor(
    private readonly page: Readonly<Record<string, unknown>>,
    private readonly shape: AnswerShape,
  ) {
    this.lists = [...shape.keysOf('nodes'), ...shape.keysOf('edges')];
  }

  /** Undefined where the object is no page. */
  static of(
    object: Readonly<Record<string, unknown>>,
    shape: AnswerShape | undefined,
  ): PageInAnswer | undefined {
    if (shape === undefined) return undefined;
    const isPage = shape.keysOf('nodes').length > 0 || shape.keysOf('edges').length > 0;
    return isPage ? new PageInAnswer(object, shape) : undefined;
  }

  /**
   * Makes the page end after so many rows: there is a next page, and its cursor is that of the last row, or missing where
   * the answer does not have it. Returns how many characters fewer the page has as it is shown.
   */
  endAfter(rows: number): number {
    const cursor = this.cursorOf(rows - 1);
    this.hasCursor = cursor !== undefined;
    let gone = 0;
    for (const key of this.shape.keysOf('pageInfo')) {
      const info = this.page[key];
      const fields = this.shape.under(key);
      if (!isRecord(info) || fields === undefined) continue;
      const shown = { ...info };
      for (const name of fields.keysOf('hasNextPage')) replace(shown, name, true);
      for (const name of fields.keysOf('endCursor')) replace(shown, name, cursor);
      gone += charactersOf(this.infos.get(info) ?? info) - charactersOf(shown);
      this.infos.set(info, shown);
    }
    return gone;
  }

  private cursorOf(place: number): string | undefined {
    for (const key of this.shape.keysOf('edges')) {
      const edges = this.page[key];
      const edge: unknown = Array.isArray(edges) ? edges[place] : undefined;
      for (const name of this.shape.under(key)?.keysOf('cursor') ?? []) {
        const cursor = isRecord(edge) ? edge[name] : undefined;
        if (typeof cursor === 'string') return cursor;
      }
    }
    return undefined;
  }
}

const charactersOf = (value: object): number => JSON.stringify(shownPart(value)).length;

/** Leaves a member out where it has no value any more. By assignment, `__proto__` would be the object's prototype. */
function replace(object: object, name: string, value: string | boolean | undefined): void {
  if (!Object.hasOwn(object, name)) return;
  if (value === undefined) Reflect.deleteProperty(object, name);
  else Object.defineProperty(object, name, { value });
}
