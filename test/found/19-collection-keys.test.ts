import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FolderCollections } from '../../src/import/folder-collections.js';
import { collectionKeyOf, isCollectionKey } from '../../src/domains/knowledge/document-writes.js';

describe('19 a collection has the name of its folder, and never that of two', () => {
  test.each([
    ['Travel & Leave', 'travel-leave'],
    ['Zürich', 'zurich'],
    ['人事', '人事'],
    ['Руководство', 'руководство'],
    ['Йога', 'йога'],
    ['Εγχειρίδιο', 'εγχειρίδιο'],
    ['دليل الموظف', 'دليل-الموظف'],
    ['מדריך', 'מדריך'],
    ['คู่มือ', 'คู่มือ'],
    ['मार्गदर्शिका', 'मार्गदर्शिका'],
    ['がいど', 'がいど'],
    ['한국어', '한국어'],
    ['Straße', 'straße'],
    ['ＨＲ', 'hr'],
    ['hr.', 'hr'],
  ])('%s is %s', (folder, key) => {
    expect(collectionKeyOf(folder)).toBe(key);
    expect(collectionKeyOf(folder.normalize('NFD'))).toBe(key);
    expect(isCollectionKey(key)).toBe(true);
  });

  test('every key is one, and its own key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (folder) => {
        try {
          const key = collectionKeyOf(folder);
          expect(isCollectionKey(key)).toBe(true);
          expect(collectionKeyOf(key)).toBe(key);
        } catch (error) {
          expect((error as Error).message).toContain('No collection can be named after');
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['C++', 'C#'],
    ['HR', 'hr'],
    ['caf\u00e9', 'cafe\u0301'],
    ['hr', 'hr.'],
    ['Travel & Leave', 'travel leave'],
    ['a b', 'a  b'],
    ['ＨＲ', 'HR'],
    [`${'x'.repeat(64)}1`, `${'x'.repeat(64)}2`],
  ])('%s and %s are refused, each with both names', (one, other) => {
    const folders = new FolderCollections([one, other], new Map(), new Map());
    for (const folder of [one, other])
      for (const name of [one, other]) expect(() => folders.collection(folder)).toThrow(JSON.stringify(name));
  });

  test('й and и, and が and か, are two letters and two collections', () => {
    const names = ['йод', 'иод', 'が', 'か'];
    const folders = new FolderCollections(names, new Map(), new Map());
    expect(names.map((name) => folders.collection(name).key)).toEqual(names);
  });

  test('a collection that is there under another name is not joined, but by its key, or where it was before', () => {
    const present = new Map([
      ['c', 'C++'],
      ['hr', 'Human resources'],
      ['travel-leave', 'Travel leave'],
    ]);
    const folders = new FolderCollections(
      ['C#', 'hr', 'Travel & Leave'],
      present,
      new Map([['Travel & Leave', new Set(['travel-leave'])]]),
    );
    expect(() => folders.collection('C#')).toThrow('"C#" and "C++"');
    expect(folders.collection('hr')).toEqual({ key: 'hr', name: undefined });
    expect(folders.collection('Travel & Leave').key).toBe('travel-leave');
    expect(new FolderCollections(['C++'], present, new Map()).collection('C++')).toEqual({
      key: 'c',
      name: 'C++',
    });
  });

  test.each(['???', '🚀', '...', ' '])('nothing is named after %j', (folder) => {
    expect(() => new FolderCollections([folder], new Map(), new Map()).collection(folder)).toThrow(
      'No collection can be named',
    );
  });

  test('a folder with an invisible character is refused', () => {
    const folder = 'Human\u200b resources';
    expect(() => new FolderCollections([folder], new Map(), new Map()).collection(folder)).toThrow('U+200B');
  });
});
