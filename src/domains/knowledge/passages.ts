import { plainText, sectionsOf, stripFrontMatter, type Section } from './markdown.js';
import { indexTokens } from './tokenize.js';

/** A passage as made from a document, before it has an id. */
export interface PassageText {
  /** Beginning with 1. */
  readonly position: number;
  readonly heading: string;
  /** Markdown, without the heading. */
  readonly body: string;
  readonly tokens: string;
}

const lengthAimed = 1_200;
/** What is a little longer stays whole. */
const lengthMax = 1_500;
/** A text with more headings than this is split by length alone. */
const sectionsMax = 2_000;
const headingLengthMax = 300;

/** The passages of a document from top to bottom; at least one, and the same for the same document. */
export function passagesOf(document: { readonly title: string; readonly body: string }): PassageText[] {
  const markdown = stripFrontMatter(document.body).trim();
  const all = sectionsOf(markdown);
  const sections =
    all.length > sectionsMax ? [{ heading: '', text: markdown }] : joinEmpty(all, document.title);
  return sections
    .flatMap(({ heading, text }) => split(text).map((body) => ({ heading, body })))
    .map(({ heading, body }, index) => ({
      position: index + 1,
      heading,
      body,
      tokens: indexTokens({ title: document.title, heading, text: plainText(body) }),
    }));
}

/** A heading with nothing under it leads the next one (`Leave › Carrying over`), unless it is the title again. */
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

/** Parts of a long text, cut at the ends of paragraphs, else of lines, sentences or words. */
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
  // Never between the two halves of a letter.
  return /[\udc00-\udfff]/.test(text.charAt(lengthAimed)) ? lengthAimed - 1 : lengthAimed;
}
