import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requirePeers } from './install.mjs';
import { help, readOptions, UsageError } from './options.mjs';
import { resultsFolder } from './paths.mjs';
import { pinningMissing } from './pin.mjs';
import { progress, progressDone } from './progress.mjs';

const commands = {
  compare: async () => (await import('./commands/compare.mjs')).compare,
  beside: async () => (await import('./commands/beside.mjs')).beside,
  flat: async () => (await import('./commands/flat.mjs')).flat,
  loop: async () => (await import('./commands/loop.mjs')).loop,
  soak: async () => (await import('./commands/soak.mjs')).soak,
  profile: async () => (await import('./commands/profile.mjs')).profile,
  mcp: async () => (await import('./commands/mcp.mjs')).mcpBesideGraphql,
  wide: async () => (await import('./commands/wide.mjs')).wide,
  oracle: async () => (await import('./commands/oracle.mjs')).oracle,
};

async function main(args) {
  const options = readOptions(args);
  if (options.help) return console.log(help);
  if (!['beside', 'oracle', 'loop', 'mcp', 'wide'].includes(options.command)) requirePeers();
  const missing = pinningMissing();
  if (missing !== undefined) console.error(`Servers and load share the cores: ${missing}.`);
  const command = await commands[options.command]();
  const result = { ...(await command({ ...options, progress })), at: new Date().toISOString() };
  progressDone();
  await mkdir(resultsFolder, { recursive: true });
  await writeFile(join(resultsFolder, `${options.command}.json`), JSON.stringify(result, null, 1));
  if (options.docs) await (await import('./report/docs.mjs')).writeDocs();
  console.log(options.json ? JSON.stringify(result, null, 1) : command.toText(result));
  if (result.failed === true) process.exitCode = 1;
}

main(process.argv.slice(2)).then(
  () => process.exit(),
  (error) => {
    progressDone();
    console.error(error instanceof UsageError ? `${error.message}\nSee npm run bench -- --help.` : error);
    process.exit(1);
  },
);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    progressDone();
    console.error(`Ended by ${signal}.`);
    process.exit(130);
  });
}
