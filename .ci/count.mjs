// Sums up vitest's JSON report. Fails when a test failed, or when one that needs a database did not run on each.
import { existsSync, readFileSync } from 'node:fs';

const databases = 2;
/** Data that is no part of the project: its tests say by name where they look for it. */
const needsOtherData = (test) => test.fullName.includes('in the folder that BEHALF_TEST_DATA names');
const report = process.argv[2];
const files = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : [];
const count = (file, status) => file.assertionResults.filter((test) => test.status === status).length;
const sum = (status) => files.reduce((total, file) => total + count(file, status), 0);

// A file that could not be loaded, or a hook that failed, leaves no failed test behind.
const broken = files.filter((file) => file.status === 'failed' && count(file, 'failed') === 0);
const onDatabase = files.filter((file) => /[\\/]test[\\/](promises|parts)[\\/]/.test(file.name));
const skipped = onDatabase.flatMap((file) =>
  file.assertionResults.filter((test) => test.status === 'skipped' && !needsOtherData(test)),
);
const runs = new Map();
for (const { name } of onDatabase) runs.set(name, (runs.get(name) ?? 0) + 1);
const missed = [...runs].filter(([, times]) => times !== databases).map(([name]) => name);

if (files.length === 0) console.error('The tests left no report.');
for (const file of broken) console.error(`Did not run: ${file.name}: ${file.message}`);
for (const test of skipped) console.error(`Skipped: ${test.fullName}`);
for (const name of missed) console.error(`Not run on every database: ${name}`);

const failed = sum('failed') + broken.length + (files.length === 0 ? 1 : 0);
console.log(`${sum('passed')} passed, ${failed} failed`);
process.exitCode = failed + skipped.length + missed.length > 0 ? 1 : 0;
