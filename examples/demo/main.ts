import { parseArgs } from 'node:util';
import { failureOf } from '../../src/cli/terminal/errors.js';
import { note, print, progress } from '../../src/cli/terminal/output.js';
import { printEnd, printServer, printStep } from './print.js';
import { runDemo } from './run.js';
import type { Outcome } from './story.js';
import { printRecords } from './table.js';

const help = `Usage: npm run demo [-- options]

Starts a server of its own with the demo company, and tells the main job step by step: a person hands an AI agent
one ticket, the agent works on it, is refused what it was not handed, is stopped; the auditor reads it all back.

Options:
  --sso       the story of a person who signs in with her company: a second server plays its identity provider,
              the agent asks her on the consent page, and the company's logout ends it all
  --json      one JSON document instead of the story: { ok, steps, records }
  --help      this text

Environment:
  DATABASE_URL  an empty database, sqlite:PATH or mysql://…, which keeps the demo company afterwards;
                a temporary SQLite file unless said
  NO_COLOR      no colours on a terminal

It exits with 0 when every step did what it should, with 1 when one did not, with 130 when it was interrupted.`;

interface Options {
  readonly json: boolean;
  readonly sso: boolean;
  readonly help: boolean;
}

function readOptions(args: readonly string[]): Options {
  const options = {
    json: { type: 'boolean' },
    sso: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  return { json: values.json ?? false, sso: values.sso ?? false, help: values.help ?? false };
}

/** Aborts at Ctrl-C and the like; npm may pass the same signal on a second time. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => controller.abort());
  return controller.signal;
}

async function tell(signal: AbortSignal, sso: boolean): Promise<Outcome> {
  const startedAt = Date.now();
  const outcome = await runDemo({
    signal,
    sso,
    databaseUrl: chosenDatabase(),
    onProgress: progress,
    onServer: (server) => {
      progress('');
      printServer(server);
    },
    onStep: printStep,
  });
  printRecords(outcome.records);
  printEnd(outcome, (Date.now() - startedAt) / 1000);
  return outcome;
}

async function tellJson(signal: AbortSignal, sso: boolean): Promise<Outcome> {
  const outcome = await runDemo({ signal, sso, databaseUrl: chosenDatabase() });
  print(JSON.stringify(outcome, null, 2));
  return outcome;
}

const chosenDatabase = (): string | undefined =>
  process.env.DATABASE_URL === '' ? undefined : process.env.DATABASE_URL;

async function main(): Promise<void> {
  const signal = interruption();
  try {
    const options = readOptions(process.argv.slice(2));
    if (options.help) {
      print(help);
      return;
    }
    const outcome = await (options.json ? tellJson(signal, options.sso) : tell(signal, options.sso));
    process.exitCode = outcome.ok ? 0 : 1;
  } catch (error) {
    progress('');
    const failure = failureOf(error, process.env.BEHALF_LOG_LEVEL === 'debug');
    note(signal.aborted ? 'Interrupted.' : failure.text);
    process.exit(signal.aborted ? 130 : failure.exitCode);
  }
}

await main();
