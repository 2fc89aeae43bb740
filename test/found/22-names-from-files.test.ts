import { describe, expect, test } from 'vitest';
import { readerOf } from '../../src/import/field-values.js';
import { readBoundary } from '../../src/delegation/boundary-values.js';

const hidden = ['Maison\u200bDelorme', 'Maison \u202eDelorme', 'Maison\u00adDelorme'];

describe('22 names that people tell apart show all that they have', () => {
  test('in a column of an import', () => {
    const read = readerOf({ name: 'name', kind: 'text', length: 200 } as Parameters<typeof readerOf>[0], {});
    expect(read(' Maison\nDelorme ', undefined)).toBe('Maison Delorme');
    for (const name of hidden) expect(() => read(name, undefined)).toThrow(/`name` has the character U\+/);
  });

  test('as the value of a boundary', () => {
    const catalog = { dimensions: new Map([['region', { description: '', source: undefined }]]) };
    const values = (region: string[]) => readBoundary(catalog, { region }).get('region');
    expect(values(['Maison Delorme'])).toEqual(new Set(['Maison Delorme']));
    for (const name of hidden) expect(() => values([name])).toThrow(/`boundary` has the character U\+/);
  });
});
