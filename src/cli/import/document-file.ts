import { LineCounter, isMap, isScalar, parseDocument } from 'yaml';
import { badInput } from '../../core/errors.js';
import { sectionsOf, stripFrontMatter } from '../../domains/knowledge/markdown.js';
import { classifications, type Classification } from '../../domains/knowledge/tables.js';
import { bodyOf, titleOf } from '../../domains/knowledge/write.js';
import { yamlReason, type Faults } from './faults.js';

/** What a Markdown file says of itself. */
export interface DocumentText {
  readonly title: string;
  readonly classification: Classification | undefined;
  /** The whole file: what is left of it would not be what its author wrote. Search leaves the front matter out. */
  readonly body: string;
}

export function classificationOf(text: string): Classification {
  const found = classifications.find((name) => name === text);
  if (found !== undefined) return found;
  throw badInput(`${JSON.stringify(text)} is no classification; it is ${classifications.join(', ')}.`);
}

/** Reads one file; undefined after telling what is wrong with it. */
export function readDocument(path: string, bytes: Uint8Array, faults: Faults): DocumentText | undefined {
  const before = faults.count;
  const text = decode(bytes);
  if (text === undefined) {
    faults.add({ file: path, reason: 'This is not UTF-8.' });
    return undefined;
  }
  const rest = stripFrontMatter(text);
  const facts = frontMatter(path, text.slice(0, text.length - rest.length), faults);
  const attempt = <T>(line: number | undefined, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      faults.caught(error, { file: path, line });
      return undefined;
    }
  };
  const level = facts.get('classification');
  const classification = level && attempt(level.line, () => classificationOf(level.text));
  const title = attempt(facts.get('title')?.line, () =>
    titleOf(facts.get('title')?.text ?? firstHeading(rest) ?? nameOf(path)),
  );
  const body = attempt(undefined, () => bodyOf(text));
  return faults.count > before || title === undefined || body === undefined
    ? undefined
    : { title, classification, body };
}

/** Without the byte order mark, and with one kind of line end. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\r\n', '\n');
  } catch {
    return undefined;
  }
}

interface Fact {
  readonly text: string;
  readonly line: number;
}

/** The two entries that matter here; others are the source's own. */
function frontMatter(path: string, block: string, faults: Faults): Map<string, Fact> {
  const facts = new Map<string, Fact>();
  if (block === '') return facts;
  const lines = new LineCounter();
  const yaml = block.replace(/^---[ \t]*\n/, '\n').replace(/\n---[ \t]*\n?$/, '\n');
  const document = parseDocument(yaml, { lineCounter: lines });
  for (const error of document.errors) {
    faults.add({
      file: path,
      line: lines.linePos(error.pos[0]).line,
      column: 'front matter',
      reason: yamlReason(error.message),
    });
  }
  if (!isMap(document.contents)) return facts;
  for (const name of ['title', 'classification']) {
    const node = document.contents.get(name, true);
    const fact = isScalar(node) && node.value !== null ? String(node.value).trim() : '';
    if (fact !== '') facts.set(name, { text: fact, line: lines.linePos(node?.range?.[0] ?? 0).line });
  }
  return facts;
}

const firstHeading = (markdown: string): string | undefined =>
  sectionsOf(markdown).find((section) => section.heading !== '')?.heading;

/** `travel/going-out-of-office.md` is `Going out of office`. */
function nameOf(path: string): string {
  const name = (path.split('/').at(-1) ?? path).replace(/\.md$/i, '').replace(/[-_]+/g, ' ').trim();
  return name.charAt(0).toUpperCase() + name.slice(1);
}
