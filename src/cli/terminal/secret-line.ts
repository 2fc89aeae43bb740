import { CommandError } from '../../core/command-error.js';
import { Prompt } from './prompt.js';
import { readText, withoutByteOrderMark } from './read-text.js';

/** A secret from a file with one line; without a file it is asked for, or read from a pipe. Never an argument. */
export async function secretLine(what: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return lineOf(what, file);
  const prompt = new Prompt();
  try {
    return await prompt.secret(`${what}: `);
  } finally {
    prompt.close();
  }
}

/** The only line of a file. */
export function lineOf(what: string, file: string): string {
  const lines = withoutByteOrderMark(readText(file))
    .split(/\r\n|\n|\r/)
    .filter((line) => line !== '');
  if (lines.length === 1 && lines[0] !== undefined) return lines[0];
  throw new CommandError(`${file} must have the ${what.toLowerCase()} on its only line.`);
}
