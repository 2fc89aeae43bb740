import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const cores = { server: 0, load: 1 };

/** Why nothing can be bound to a core here; undefined where it can. */
export function pinningMissing() {
  if (availableParallelism() < 2) return 'there is only one core';
  return spawnSync('taskset', ['-V']).error === undefined ? undefined : 'taskset (util-linux) is missing';
}

const isPinned = pinningMissing() === undefined;

/** The command line that runs a program on the core of the server under test, or on that of all the rest. */
export const onCore = (place, ...command) =>
  isPinned ? ['taskset', '-c', String(cores[place]), ...command] : command;
