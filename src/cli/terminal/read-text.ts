import { readFileSync } from 'node:fs';
import { CommandError } from '../../core/command-error.js';

/** Editors and shells of Windows put this mark before text in UTF-8. */
export const withoutByteOrderMark = (text: string): string => text.replace(/^\ufeff/, '');

/** The text of a small file that an option names. Throws `CommandError` where it cannot be read or is not UTF-8. */
export function readText(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const reason = error instanceof TypeError ? 'it is not UTF-8' : (error as Error).message;
    throw new CommandError(`${file} cannot be read: ${reason}.`, { cause: error });
  }
}
