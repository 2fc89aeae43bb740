import { expect, test } from 'vitest';
import { testsIn } from './support/attack-table.js';

const file = `/** Where a stolen code is tried. */
const tried: Tried = {
  'code injection': [
    ['attacks.test.ts', 'a stolen code'],
  ],
};

testTried(tried, import.meta.url);
// A stolen code: see elsewhere.
test('another attack', () => undefined);
`;

test('the name of an attack in the table itself, or in a comment, is no test', () => {
  expect(testsIn(file)).not.toMatch(/a stolen code/i);
  expect(testsIn(file)).toContain('another attack');
  expect(testsIn(`${file}test('a stolen code', () => undefined);`)).toContain('a stolen code');
});
