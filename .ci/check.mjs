// `npm run check`: runs every check to its end, two at a time, and tells what each of them said.
import { exec } from 'node:child_process';

/** What runs one after another; the two take as long as each other. */
const lanes = [['check:lint'], ['check:types', 'check:format', 'check:generated']];

const run = (name) =>
  new Promise((resolve) => {
    exec(`npm run --silent ${name}`, { maxBuffer: Infinity }, (error, stdout, stderr) => {
      if (error !== null) console.error(`npm run ${name} failed.\n${stdout}${stderr}`);
      else process.stdout.write(stdout + stderr);
      resolve(error === null);
    });
  });

const passed = await Promise.all(
  lanes.map(async (names) => {
    const ends = [];
    for (const name of names) ends.push(await run(name));
    return ends.every(Boolean);
  }),
);
process.exitCode = passed.every(Boolean) ? 0 : 1;
