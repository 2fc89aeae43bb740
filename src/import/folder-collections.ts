import { badInput } from '../core/errors.js';
import { visibleLine } from '../core/checked-text.js';
import { collectionKeyOf } from '../domains/knowledge/document-writes.js';

/** The collection of a folder. */
export interface FolderCollection {
  readonly key: string;
  /** The folder's name. Undefined where it equals the key; the name is then made from the key. */
  readonly name: string | undefined;
}

/**
 * Assigns each folder its collection. Two folders never share one: where two names give the same key, or a
 * name gives the key of an existing collection with another name, the fault states both names.
 */
export class FolderCollections {
  private readonly byKey = new Map<string, Set<string>>();

  constructor(
    folders: Iterable<string>,
    /** Maps keys of existing collections to names. */
    private readonly present: ReadonlyMap<string, string>,
    /** Maps folders to the keys of the collections in which this source has documents from them. */
    private readonly before: ReadonlyMap<string, ReadonlySet<string>>,
  ) {
    for (const folder of new Set(folders)) {
      const key = keyOrNone(folder);
      if (key !== undefined) this.byKey.set(key, (this.byKey.get(key) ?? new Set()).add(folder));
    }
  }

  /** Throws `BAD_USER_INPUT` for a folder without a collection of its own. */
  collection(folder: string): FolderCollection {
    const key = collectionKeyOf(folder);
    const others = [...(this.byKey.get(key) ?? [])].filter((other) => other !== folder);
    if (others[0] !== undefined) throw collision(folder, others[0], key);
    if (folder === key) return { key, name: undefined };
    const name = visibleLine(folder, 200, 'collection');
    const there = this.present.get(key);
    const isSame = there === undefined || there === name || this.before.get(folder)?.has(key) === true;
    if (!isSame) throw collision(folder, there, key);
    return { key, name };
  }
}

const collision = (folder: string, other: string, key: string) =>
  badInput(
    `The folders ${JSON.stringify(folder)} and ${JSON.stringify(other)} would both be the collection ${key}. ` +
      'Rename one of them: two folders are never put together.',
    'collection',
  );

function keyOrNone(folder: string): string | undefined {
  try {
    return collectionKeyOf(folder);
  } catch {
    return undefined;
  }
}
