import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { benchFolder } from './paths.mjs';
import { progress, progressDone } from './progress.mjs';

/** Peers are installed at the first use, and again when the lock file is newer than what is there. */
export function requirePeers() {
  if (changedMs('node_modules/.package-lock.json') >= changedMs('package-lock.json')) return;
  progress('installing the servers to compare with (npm ci in bench/)');
  const { status, stderr, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: benchFolder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  progressDone();
  if (status !== 0) throw new Error(`npm ci in bench/ failed.\n${stderr ?? error}`);
}

/** When a file of this folder last changed; 0 where it is not there. */
const changedMs = (name) => statSync(join(benchFolder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
