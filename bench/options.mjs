import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { transports } from './load/transports.mjs';
import { ownDist } from './paths.mjs';
import { peerNames } from './servers/peers.mjs';
import { mcpWorkloads, usualWorkloads, workloads } from './world/workloads.mjs';

export class UsageError extends Error {}

export const serverNames = ['behalf', ...peerNames];
/** Those of a quick run. */
const shortNames = serverNames.filter((name) => !name.endsWith('-nocache'));
const databaseNames = ['mariadb', 'sqlite'];
const commandNames = ['compare', 'beside', 'flat', 'loop', 'soak', 'profile', 'oracle', 'mcp', 'wide'];

export const help = `npm run bench -- [COMMAND] [OPTIONS]

Measures this server beside others: the same schema, rows and operations, each server alone on one core, load and
MariaDB on another. Every answer is compared before anything is measured. The build in dist/ is measured.

Commands
  compare   every server at every workload (without a command; about 45 minutes)
  beside    the build in dist/ beside another (--dist), in turns: is it dearer at any workload? (an hour)
  flat      this server over some rows, agents, roles and records, and over a hundred times as many (half an hour)
  loop      for how long this server's event loop stands still beside the dearest operations, over 100,000 orders; the
            server is on any core
  soak      this server under full load for an hour: does its memory stay flat?
  profile   where this server spends its time at one workload
  oracle    whether the time of a search tells of hidden passages (half a minute)
  mcp       the same queries over /mcp, by its tool, and over /graphql, in turns: how many times the processor time?
            (six minutes)
  wide      the last page of a company's table with a million rows of 30 columns beside the first (five minutes)

Options
  --servers A,B     of ${serverNames.join(', ')}
  --databases A,B   of ${databaseNames.join(', ')}
  --workloads A,B   of ${Object.keys(workloads).join(', ')}
  --transport T     of profile: graphql or mcp (graphql)
  --rounds N        rounds over all servers; figures are medians (3)
  --seconds N       how long each measurement takes, three times for list1000; half of it with one connection (1)
  --connections N   how many at once (32)
  --minutes N       of soak (60)
  --dist DIR        another build, beside whose folder its schema/ lies
  --bound N         how many times the other build's processor time beside allows (1.03)
  --quick           rough figures in 3 minutes, before the engines are warm; without apollo-…-nocache
  --docs            writes the tables and charts of docs/performance.md from the last results of each command
  --json            prints one JSON document
  --help            this

Results are kept in data/bench/results. The exit code is 0 where everything could be measured, and beside and mcp
find nothing above their bound.`;

const definitions = {
  servers: { type: 'string' },
  databases: { type: 'string' },
  workloads: { type: 'string' },
  workload: { type: 'string' },
  transport: { type: 'string', default: 'graphql' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  connections: { type: 'string' },
  minutes: { type: 'string' },
  dist: { type: 'string' },
  bound: { type: 'string' },
  quick: { type: 'boolean', default: false },
  docs: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

/** Throws `UsageError` for what is not an option, and for a build that is not there. */
export function readOptions(args) {
  const { values, positionals } = parsed(args);
  const [command = 'compare', ...others] = positionals;
  if (others.length > 0) throw new UsageError(`There is one command, not also ${others.join(' ')}.`);
  few('command', command, commandNames);
  const { quick } = values;
  const dist = resolve(values.dist ?? ownDist);
  if (!values.help && !existsSync(join(dist, 'src/cli/behalf.js'))) {
    throw new UsageError(`There is no build in ${dist}: run npm run build.`);
  }
  const seconds = number('seconds', values.seconds, quick ? 0.25 : 1, 0.05);
  return {
    ...values,
    command,
    dist,
    minutes: number('minutes', values.minutes, 60, 0.1),
    bound: number('bound', values.bound, 1.03, 0),
    servers: few('servers', values.servers ?? (quick ? shortNames : serverNames).join(), serverNames),
    databases: few('databases', values.databases, databaseNames),
    workloads: few(
      'workloads',
      values.workload ?? values.workloads ?? (command === 'mcp' ? mcpWorkloads : usualWorkloads).join(),
      Object.keys(workloads),
    ),
    transport: few('transport', values.transport, Object.keys(transports))[0],
    how: {
      rounds: number('rounds', values.rounds, quick ? 1 : 3, 1),
      seconds,
      // Of each server before anything is measured: engines have to be warm on a slow machine too. Seconds alone would
      // be fewer operations to the slower server.
      firstOperations: 15_000,
      firstSeconds: quick ? 1 : 30,
      warmUpSeconds: quick ? 0.2 : Math.max(3, seconds),
      answersCompared: quick ? 5 : 30,
      connections: number('connections', values.connections, 32, 1),
    },
  };
}

function parsed(args) {
  try {
    return parseArgs({ args, options: definitions, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/** Names of a list, in the list's order; all where none are named. */
function few(option, text, known) {
  if (text === undefined) return known;
  const names = text.split(',');
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(`${unknown.join(', ')} is no ${option.replace(/s$/, '')}: of ${known.join(', ')}.`);
  }
  return known.filter((name) => names.includes(name));
}

function number(option, text, usual, least) {
  const value = text === undefined ? usual : Number(text);
  if (!Number.isFinite(value) || value < least) throw new UsageError(`--${option} is at least ${least}.`);
  return value;
}
