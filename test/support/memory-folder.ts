import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const shared = '/dev/shm';
/** A whole run of the tests uses a quarter of it. */
const bytesMin = 2 ** 30;

/** For data that is thrown away: in memory where there is enough of it. A process that is killed loses nothing there. */
export function memoryFolder(): string {
  return freeBytes(shared) >= bytesMin ? shared : tmpdir();
}

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
