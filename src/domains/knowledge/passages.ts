import { setImmediate as nextTurn } from 'node:timers/promises';
import { plainText, readSections, stripFrontMatter, type Section } from './markdown.js';
import { indexTokens } from './index-tokens.js';

/**
 * The edition of the rules that make passages. Raise it with each change of tokens, sections or plain text;
 * servers then rebuild older passages (`passage-renewal.ts`).
 */
export const passageEdition = 1;

/** A passage of a document, before it has an id. */
export interface PassageText {
  /** From 1. */
  readonly position: number;
  readonly heading: string;
  /** Markdown, without the heading. */
  readonly body: string;
  /** The visible text, on one line. */
  readonly plain: string;
  readonly tokens: string;
}

const lengthAimed = 1_200;
/** A slightly longer text stays whole. */
const lengthMax = 1_500;
/** A text with more headings is split by length alone. */
const sectionsMax = 2_000;
const headingLengthMax = 300;
/** A passage takes a fraction of a millisecond, or several milliseconds for hostile Markdown. */
const passagesPerTurn = 2;

/**
 * The passages of a document in order; at least one. The same document always gives the same passages. Yields
 * to the event loop in between, so that a long document blocks nobody.
 */
export async function passagesOf(document: {
  readonly title: string;
  readonly body: string;
}): Promise<PassageText[]> {
  const found: PassageText[] = [];
  for (const { heading, text } of await sectionsIn(document)) {
    for (const body of split(text)) {
      if (found.length % passagesPerTurn === passagesPerTurn - 1) await nextTurn();
      const plain = plainText(body);
      const tokens = indexTokens({ title: document.title, heading, text: plain });
      found.push({ position: found.length + 1, heading, body, plain, tokens });
    }
  }
  return found;
}

async function sectionsIn({
  title,
  body,
}: {
  readonly title: string;
  readonly body: string;
}): Promise<Section[]> {
  const markdown = stripFrontMatter(body.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n')).trim();
  const all: Section[] = [];
  for (const section of readSections(markdown)) {
    if (section === undefined) await nextTurn();
    else all.push(section);
    if (all.length > sectionsMax) return [{ heading: '', text: markdown }];
  }
  return joinEmpty(all, title);
}

/** A heading without text joins the next one (`Leave › Carrying over`), unless it repeats the title. */
function joinEmpty(sections: readonly Section[], title: string): Section[] {
  const joined: Section[] = [];
  let leading = '';
  for (const { heading, text } of sections) {
    const own = heading.toLowerCase() === title.toLowerCase() ? '' : heading;
    const whole = [leading, own].filter((part) => part !== '').join(' › ');
    leading = text === '' ? whole : '';
    if (text !== '') joined.push({ heading: cut(whole), text });
  }
  if (leading !== '' || joined.length === 0) joined.push({ heading: cut(leading), text: '' });
  return joined;
}

const cut = (heading: string): string => [...heading].slice(0, headingLengthMax).join('');

/** Splits a long text at the ends of paragraphs, or else of lines, sentences or words. */
function split(text: string): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > lengthMax) {
    const at = breakOf(rest);
    parts.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at).trimStart();
  }
  return rest === '' && parts.length > 0 ? parts : [...parts, rest];
}

function breakOf(text: string): number {
  for (const end of ['\n\n', '\n', '. ', ' ']) {
    const at = text.lastIndexOf(end, lengthAimed);
    if (at > lengthAimed / 3) return at + end.length;
  }
  // Never splits a surrogate pair.
  return /[\udc00-\udfff]/.test(text.charAt(lengthAimed)) ? lengthAimed - 1 : lengthAimed;
}
