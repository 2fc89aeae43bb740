import { badInput } from '../core/errors.js';
import { refusedCharacterAt } from '../core/checked-text.js';
import { plainText, sectionsOf } from '../domains/knowledge/markdown.js';
import { classifications, type Classification } from '../domains/knowledge/tables.js';
import { bodyOf, titleOf } from '../domains/knowledge/document-writes.js';
import type { InputFaults } from '../operator/input-faults.js';
import { frontMatterOf } from './front-matter.js';

/** The parts of a Markdown file. */
export interface DocumentText {
  readonly title: string;
  readonly classification: Classification | undefined;
  /** The whole file, as its author wrote it. Search leaves the front matter out. */
  readonly body: string;
}

export function classificationOf(text: string): Classification {
  const found = classifications.find((name) => name === text);
  if (found !== undefined) return found;
  throw badInput(`${JSON.stringify(text)} is no classification; it is ${classifications.join(', ')}.`);
}

/**
 * Reads one file. Undefined, with a fault reported, where it is faulty. `empty` for a file without content.
 */
export function readDocument(
  path: string,
  bytes: Uint8Array,
  faults: InputFaults,
): DocumentText | 'empty' | undefined {
  const before = faults.count;
  const text = decode(bytes);
  if (text === undefined) {
    faults.add({ file: path, line: undecodedLine(bytes), reason: 'This is not UTF-8.' });
    return undefined;
  }
  if (text.replace(/\p{Cf}/gu, '').trim() === '') return 'empty';
  const refused = refusedCharacterAt(text);
  if (refused !== -1) {
    const code = (text.codePointAt(refused) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const line = text.slice(0, refused).split('\n').length;
    faults.add({ file: path, line, reason: `U+${code} is a control character, which no text may have.` });
  }
  const matter = frontMatterOf(path, text, faults);
  if (matter === undefined || faults.count > before) return undefined;
  const heading = firstHeading(matter.rest);
  const named = matter.title ?? {
    text: heading ?? nameOf(path),
    line: heading === undefined ? 1 : matter.linesAbove + lineOf(heading, matter.rest),
  };
  const title = attempt(faults, path, named.line, () => titleOf(named.text));
  const body = attempt(faults, path, 1, () => bodyOf(text));
  if (title === undefined || body === undefined) return undefined;
  return { title, classification: matter.classification, body };
}

function attempt<T>(faults: InputFaults, file: string, line: number, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    faults.caught(error, { file, line });
    return undefined;
  }
}

/** Removes the byte order mark and makes line ends uniform. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r\n?/g, '\n');
  } catch {
    return undefined;
  }
}

/** Lines can be counted in bytes, because in UTF-8 no byte of a line end is part of another character. */
function undecodedLine(bytes: Uint8Array): number {
  const lines = Buffer.from(bytes)
    .toString('latin1')
    .split(/\r\n|\r|\n/);
  return lines.findIndex((line) => decode(Buffer.from(line, 'latin1')) === undefined) + 1;
}

const firstHeading = (markdown: string): string | undefined =>
  sectionsOf(markdown).find((section) => section.heading !== '')?.heading;

const lineOf = (heading: string, markdown: string): number =>
  markdown.split('\n').findIndex((line) => plainText(line.replace(/^[ #]+|[ #]+$/g, '')) === heading) + 1;

/** `travel/going-out-of-office.md` becomes `Going out of office`. */
function nameOf(path: string): string {
  const name = (path.split('/').at(-1) ?? path)
    .replace(/\.(?:md|markdown)$/i, '')
    .replace(/[-_]+/g, ' ')
    .trim();
  return name.charAt(0).toUpperCase() + name.slice(1);
}
