import { styleText } from 'node:util';
import type { Progress } from '../../core/progress.js';

type Style = Parameters<typeof styleText>[0];

const isColoured = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';

/** Coloured on a terminal; see https://no-color.org. */
export const paint = (style: Style, text: string): string =>
  isColoured(process.stdout) ? styleText(style, text) : text;

// eslint-disable-next-line no-control-regex -- what a terminal would obey is what must not get there
const unsafe = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text from the database without characters that a terminal would obey. */
export const clean = (text: string): string => text.replace(unsafe, '�');

export const print = (text: string): void => void process.stdout.write(`${text}\n`);

const cleanLines = (text: string): string => text.split('\n').map(clean).join('\n');

/**
 * Writes to standard error: it is not part of the answer, so it must not get into a pipe. Errors repeat what was typed, and
 * what servers say, so no character gets there that a terminal would obey.
 */
export const note = (text: string): void => errorOutput.writeErr(`${text}\n`);

/** The same for the errors that the library of commands writes itself. */
export const errorOutput = {
  writeErr: (text: string): void => void process.stderr.write(cleanLines(text)),
};

/** The answer of a command: one JSON document, or lines for people. */
export function answer(
  json: boolean | undefined,
  value: unknown,
  lines: () => string | readonly string[],
): void {
  if (json === true) {
    print(JSON.stringify(value, null, 2));
    return;
  }
  const told = lines();
  print(typeof told === 'string' ? told : told.join('\n'));
}

/** Columns as wide as their widest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** One line that is written over; on a terminal only. */
export const progress: Progress = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text === '' ? '' : `  ${text} …`}`);
};
