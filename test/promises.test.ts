import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { databasesOf } from './support/declared-databases.js';

interface Promised {
  readonly number: number;
  readonly promise: string;
  readonly proof: readonly string[];
}

const promises = JSON.parse(readFileSync('test/promises.json', 'utf8')) as readonly Promised[];
const ofPromises = readdirSync('test/promises').map((name) => `test/promises/${name}`);

test('there are ten promises, each said in a sentence', () => {
  expect(promises.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const { promise } of promises) expect(promise).toMatch(/^[A-Z].+\.$/);
});

test.each(promises)('promise $number is proved, on both databases', ({ number, proof }) => {
  const files = proof.filter((file) => existsSync(file));
  expect(files).toEqual(proof);
  const own = `test/promises/p${String(number).padStart(2, '0')}-`;
  expect(proof.some((file) => file.startsWith(own))).toBe(true);
  for (const file of proof) {
    if (/^test\/(promises|parts)\//.test(file))
      expect(databasesOf(file), file).toEqual(['sqlite', 'mariadb']);
    const text = readFileSync(file, 'utf8');
    expect(text, file).toMatch(/\btest(\.each\(|\()/);
    expect(text, file).not.toMatch(/\.(skip|only|todo|fails)\(/);
  }
});

test('every file in test/promises proves the promise of its name', () => {
  for (const file of ofPromises) {
    const number = Number(/^test\/promises\/p(\d\d)-[a-z-]+\.test\.ts$/.exec(file)?.[1]);
    const promised = promises.find((one) => one.number === number);
    expect(promised?.proof ?? [], file).toContain(file);
  }
});
