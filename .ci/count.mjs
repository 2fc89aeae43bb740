// Sums up vitest's JSON report: the slowest files, and the count. Fails when a test failed, or when a file did not run
// on each database that its first line names.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Data that is no part of the project: its tests say by name where they look for it. */
const needsOtherData = (test) => test.fullName.includes('in the folder that BEHALF_TEST_DATA names');
const report = process.argv[2];
const root = join(import.meta.dirname, '..');
const files = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : [];
const count = (file, status) => file.assertionResults.filter((test) => test.status === status).length;
const sum = (status) => files.reduce((total, file) => total + count(file, status), 0);
const databasesOf = (file) => [...new Set(file.assertionResults.map((test) => test.meta.database ?? 'none'))];

// A file that could not be loaded, or a hook that failed, leaves no failed test behind.
const broken = files.filter((file) => file.status === 'failed' && count(file, 'failed') === 0);
const onDatabase = ['promises', 'parts'].flatMap((folder) =>
  readdirSync(join(root, 'test', folder), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(root, 'test', folder, name)),
);
const missed = onDatabase.flatMap((name) => {
  const [, named] = /^\/\/ databases: (.+)\n/.exec(readFileSync(name, 'utf8')) ?? [];
  if (named === undefined) return [`Names no database in its first line: ${relative(root, name)}`];
  const mine = files.filter((file) => file.name === name);
  const tests = mine.flatMap((file) => file.assertionResults);
  // A file that needs other data runs nowhere without it.
  if (tests.length > 0 && tests.every((test) => test.status === 'skipped' && needsOtherData(test))) return [];
  const ran = mine.flatMap(databasesOf);
  return named
    .split(', ')
    .filter((database) => !ran.includes(database))
    .map((database) => `Not run on ${database}: ${relative(root, name)}`);
});
const skipped = files
  .filter((file) => onDatabase.includes(file.name))
  .flatMap((file) =>
    file.assertionResults.filter((test) => test.status === 'skipped' && !needsOtherData(test)),
  );

if (files.length === 0) console.error('The tests left no report.');
for (const file of broken) console.error(`Did not run: ${file.name}: ${file.message}`);
for (const test of skipped) console.error(`Skipped: ${test.fullName}`);
for (const line of missed) console.error(line);

console.log('The slowest files, in seconds from the first test to the last:');
const seconds = (file) => (file.endTime - file.startTime) / 1000;
for (const file of [...files].sort((a, b) => seconds(b) - seconds(a)).slice(0, 10)) {
  const where = databasesOf(file).filter((database) => database !== 'none');
  console.log([seconds(file).toFixed(1).padStart(7), relative(root, file.name), ...where].join(' '));
}

const failed = sum('failed') + broken.length + (files.length === 0 ? 1 : 0);
console.log(`${sum('passed')} passed, ${failed} failed`);
process.exitCode = failed + skipped.length + missed.length > 0 ? 1 : 0;
