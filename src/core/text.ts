import { badInput } from './errors.js';

// eslint-disable-next-line no-control-regex -- the point is to refuse them
const controls = /[\u0000-\u001f\u007f]/;
// eslint-disable-next-line no-control-regex -- the point is to refuse them
const controlsButBreaks = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/**
 * One line of text, trimmed. Databases disagree about trailing spaces and control characters when they
 * compare, so neither is ever stored or looked for.
 */
export function oneLine(value: string, lengthMax: number, path: string): string {
  const text = value.normalize('NFC').trim();
  if (text === '') throw badInput(`\`${path}\` must not be empty.`, path);
  if ([...text].length > lengthMax)
    throw badInput(`\`${path}\` is longer than ${String(lengthMax)} characters.`, path);
  if (controls.test(text) || !text.isWellFormed())
    throw badInput(`\`${path}\` has characters that no line may have.`, path);
  return text;
}

/** Text with line breaks, trimmed at its end. */
export function paragraphs(value: string, lengthMax: number, path: string): string {
  const text = value.normalize('NFC').replaceAll('\r\n', '\n').trimEnd();
  if (text === '') throw badInput(`\`${path}\` must not be empty.`, path);
  if ([...text].length > lengthMax)
    throw badInput(`\`${path}\` is longer than ${String(lengthMax)} characters.`, path);
  if (controlsButBreaks.test(text) || !text.isWellFormed()) {
    throw badInput(`\`${path}\` has characters that no text may have.`, path);
  }
  return text;
}
