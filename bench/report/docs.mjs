import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flatLines } from '../commands/flat.mjs';
import { partLines } from '../commands/profile.mjs';
import { soakSentence } from '../commands/soak.mjs';
import { docsFolder, resultsFolder } from '../paths.mjs';
import { chart } from './chart.mjs';
import { figures, grid, noiseText } from './text.mjs';

const page = join(docsFolder, 'performance.md');
/** Of each command's section. */
const headings = {
  compare: '## Side by side',
  flat: '## A hundred times as much',
  soak: '## Under load for long',
  profile: '## Where the time goes',
};
const [begin, end] = ['<!-- bench:begin -->', '<!-- bench:end -->'];

async function resultOf(command) {
  const file = join(resultsFolder, `${command}.json`);
  return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : undefined;
}

function table([head, ...lines]) {
  const row = (cells) => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map((_, at) => (at === 0 ? '---' : '--:'))), ...lines.map(row)].join('\n');
}

const day = ({ at }) => at.slice(0, 10);
const roundsText = ({ rounds, seconds, connections }) =>
  `${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s, ${connections} connections`;

function compareBlock(result) {
  const { how, world, rows, goals } = result;
  const databases = [...new Set(rows.map((row) => row.database))];
  const counts = ['customers', 'orders', 'tickets', 'documents', 'agents', 'roles'];
  const blocks = databases.flatMap((database) => [
    `### Over ${database}`,
    ...figures.map(({ key, title, ratio }) => {
      const own = rows.filter((row) => row.database === database);
      return `${title}${ratio ? ' (and how many times Behalf’s)' : ''}:\n\n${table(grid(own, key, ratio))}`;
    }),
  ]);
  return [
    headings.compare,
    '![Processor time per operation of each server](performance.svg)',
    `Measured ${day(result)} with ${counts.map((kind) => `${world[kind].toLocaleString('en')} ${kind}`).join(', ')}; ` +
      `${roundsText(how)}.`,
    noiseText(result),
    ...blocks,
    '### Goals',
    table([
      ['Goal', 'Database', 'Measured', 'At most', ''],
      ...goals.map((one) =>
        [one.goal, one.database, one.measured, one.most, one.met ? 'met' : '**not met**'].map(String),
      ),
    ]),
  ];
}

const flatBlock = (result) => [
  headings.flat,
  `Measured ${day(result)}: from ${Object.entries(result.small)
    .map(
      ([kind, count]) => `${count.toLocaleString('en')} ${kind === 'auditRecords' ? 'audit records' : kind}`,
    )
    .join(', ')} to a hundred times of each; ${roundsText(result.how)}.`,
  table(flatLines(result)),
  noiseText(result),
];

const soakBlock = (result) => [headings.soak, `Measured ${day(result)}. ${soakSentence(result)}`];

const profileBlock = (result) => [
  headings.profile,
  `\`${result.workload}\` over ${result.database}, sampled over ${result.operations.toLocaleString('en')} operations on ${day(result)}; sampling itself costs some.`,
  table(partLines(result)),
];

const blocks = { compare: compareBlock, flat: flatBlock, soak: soakBlock, profile: profileBlock };

/** The sections of a text by their headings, `## ` being a section's beginning. */
const sectionsOf = (text) =>
  new Map(
    text
      .split(/^(?=## )/m)
      .filter((section) => section.startsWith('## '))
      .map((section) => [section.slice(0, section.indexOf('\n')), section.trim()]),
  );

/**
 * Puts the last result of each command between the marks of docs/performance.md, and draws its chart. What was not
 * measured here stays as it stands.
 */
export async function writeDocs() {
  const before = existsSync(page) ? await readFile(page, 'utf8') : `# Performance\n\n${begin}\n${end}\n`;
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} lacks ${begin} and ${end}.`);
  const standing = sectionsOf(before.slice(from, to));
  const parts = [];
  for (const [command, block] of Object.entries(blocks)) {
    const result = await resultOf(command);
    if (result === undefined) {
      parts.push(standing.get(headings[command]));
      continue;
    }
    parts.push(block(result).join('\n\n'));
    if (command === 'compare')
      await writeFile(join(docsFolder, 'performance.svg'), chart(result.rows, result.rows[0].database));
  }
  const after = `${before.slice(0, from)}${begin}\n\n${parts.filter((part) => part !== undefined).join('\n\n')}\n\n${before.slice(to)}`;
  await writeFile(page, await formatted(after));
}

async function formatted(markdown) {
  const { format, resolveConfig } = await import('prettier');
  return format(markdown, { ...(await resolveConfig(page)), parser: 'markdown' });
}
