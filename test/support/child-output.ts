import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

type StreamName = 'stdout' | 'stderr';

/** The output of a process so far. */
export interface ChildOutput {
  text: string;
}

/** Gathers what a process writes to these streams, as it comes. */
export function gather(child: ChildProcess, ...names: readonly StreamName[]): ChildOutput {
  const output: ChildOutput = { text: '' };
  for (const name of names)
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      output.text += chunk;
    });
  return output;
}

/** Resolves with the first text of the output that fits. Rejects where the process ends without. */
export async function untilSaid(child: ChildProcess, output: ChildOutput, pattern: RegExp): Promise<string> {
  for (;;) {
    const found = pattern.exec(output.text)?.[0];
    if (found !== undefined) return found;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`The process ended.\n${output.text}`);
    await nextEvent(child);
  }
}

/** More output, or the end. */
async function nextEvent(child: ChildProcess): Promise<void> {
  const heard = new AbortController();
  const { signal } = heard;
  const events = [child.stdout, child.stderr].flatMap((stream) =>
    stream === null ? [] : once(stream, 'data', { signal }),
  );
  events.push(once(child, 'close', { signal }));
  await Promise.race(events);
  heard.abort();
  await Promise.allSettled(events);
}
