import MarkdownIt, { type Token } from 'markdown-it';
import { frontMatterBlock } from './front-matter.js';

/** The text under one heading of a Markdown text. The heading is empty for text before the first one. */
export interface Section {
  readonly heading: string;
  readonly text: string;
}

/** Deeper nesting has no reader. */
const nestingMax = 40;
const parser = new MarkdownIt('commonmark', { maxNesting: nestingMax }).enable(['table', 'strikethrough']);

const headingLengthMax = 300;

/** Removes the YAML block at the beginning of a Markdown file. A block without a key is ordinary text. */
export function stripFrontMatter(markdown: string): string {
  const block = frontMatterBlock(markdown);
  return block.kind === 'yaml' &&
    /^[ \t]*(?:"[^"\n]*"|'[^'\n]*'|[^\s#"':-][^:\n]*):(?:[ \t]|$)/m.test(block.yaml)
    ? `${block.lead}${block.rest}`
    : markdown;
}

/** The number of characters parsed at a time; takes some milliseconds. */
const sliceLength = 4_096;
/** The maximum length of a slice with one long block. A longer block is parsed in pieces. */
const blockLengthMax = 8_192;

/**
 * Splits at headings that are in no other block (CommonMark). Yields each section at its end, and undefined
 * where the caller may let other work run. Lines too long for a heading are text.
 */
export function* readSections(markdown: string): Generator<Section | undefined> {
  let heading = '';
  let begin = 0;
  let opening: string | undefined;
  for (let at = 0; at < markdown.length;) {
    const slice = blocksFrom(markdown, at, opening);
    for (const { start, end, text } of slice.headings) {
      yield { heading, text: markdown.slice(begin, start).trim() };
      [heading, begin] = [text, end];
    }
    [at, opening] = [slice.next, slice.opening];
    yield undefined;
  }
  yield { heading, text: markdown.slice(begin).trim() };
}

/** All sections at once, for a short text or where blocking is no problem. */
export const sectionsOf = (markdown: string): Section[] =>
  [...readSections(markdown)].filter((section) => section !== undefined);

/** A heading, with the offsets of its beginning and of the text below it. */
interface Heading {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface Slice {
  readonly headings: readonly Heading[];
  /** The offset at which to continue. */
  readonly next: number;
  /** The first line of a block that continues there: a code fence or HTML. */
  readonly opening?: string | undefined;
}

/** The whole blocks from an offset on, which must be the beginning of a line. */
function blocksFrom(markdown: string, from: number, opening: string | undefined): Slice {
  const head = opening === undefined ? '' : `${opening}\n`;
  for (let length = sliceLength; ; length *= 2) {
    const to = lineEnd(markdown, from + length);
    const isEnd = to === markdown.length;
    const lines = `${head}${markdown.slice(from, to)}`;
    // The extra line shows whether the last block has ended.
    const tokens = blocksOf(isEnd ? lines : `${lines}x`);
    const begins = lineBegins(lines, from - head.length);
    const placeOf = (line: number): number => begins[line] ?? to;
    if (isEnd) return { headings: headingsOf(tokens, placeOf, to), next: to };
    const last = unfinished(tokens, (line) => placeOf(line) < to);
    const line = last?.map?.[0] ?? Infinity;
    const next = placeOf(line);
    if (line > 0) return { headings: headingsOf(tokens, placeOf, next), next };
    if (last?.type === 'fence' || last?.type === 'html_block') {
      return { headings: [], next: to, opening: opening ?? markdown.slice(from, begins[1] ?? to).trimEnd() };
    }
    if (length < blockLengthMax) continue;
    const inner = tokens.findLast(({ map }) => map !== null && map[0] > 0 && placeOf(map[0]) < to)?.map;
    return { headings: [], next: placeOf(inner?.[0] ?? Infinity) };
  }
}

/** The last block, if it may continue after the slice. A line without indentation ends any container. */
function unfinished(tokens: readonly Token[], isInSlice: (line: number) => boolean): Token | undefined {
  const blocks = tokens.filter(({ level, map, nesting }) => level === 0 && nesting >= 0 && map !== null);
  const last = blocks.at(-1);
  if (last === undefined || isInSlice(last.map?.[0] ?? 0)) return last;
  const before = blocks.at(-2);
  return before !== undefined && /^(?:bullet_list|ordered_list|blockquote)_open$/.test(before.type)
    ? before
    : undefined;
}

/** The beginning of the next line, or the end of the text. */
function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

/** The offset of each line. `first` is that of the first one. */
function lineBegins(lines: string, first: number): number[] {
  const begins = [first];
  for (let end = lines.indexOf('\n'); end >= 0; end = lines.indexOf('\n', end + 1))
    begins.push(first + end + 1);
  return begins;
}

function blocksOf(markdown: string): Token[] {
  const tokens: Token[] = [];
  parser.block.parse(markdown, parser, {}, tokens);
  return tokens;
}

function headingsOf(tokens: readonly Token[], placeOf: (line: number) => number, before: number): Heading[] {
  return tokens.flatMap(({ type, level, map }, index) => {
    if (type !== 'heading_open' || level > 0 || map === null || placeOf(map[0]) >= before) return [];
    const { content } = tokens[index + 1] ?? { content: '' };
    if (content.length > headingLengthMax) return [];
    const text = wordsOf(parser.parseInline(content, {}));
    return [{ start: placeOf(map[0]), end: placeOf(map[1]), text }];
  });
}

/** The visible words, on one line: without marks, tags and link targets. For texts of a passage's length. */
export function plainText(markdown: string): string {
  const tokens = parser.parse(markdown, {});
  // The parser skips deeper nesting.
  if (tokens.some(({ level }) => level >= nestingMax - 2))
    return oneLineOf(markdown.replace(/[>*+|`~#-]+/g, ' '));
  return wordsOf(tokens);
}

const wordsOf = (tokens: readonly Token[]): string => oneLineOf(textOf(tokens).replace(templates, ' '));

/** Template syntax of site generators. */
const templates = /\{%[^%}]{0,500}%\}|\{:?[.#:][^}\n]{0,200}\}/g;

const oneLineOf = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** The patterns are bounded, so that no text makes them slow. */
const withoutTags = (html: string): string =>
  html.replace(/<!--[^>]{0,2000}-->/g, ' ').replace(/<\/?[a-zA-Z][^<>]{0,500}>/g, ' ');

function textOf(tokens: readonly Token[]): string {
  return tokens
    .map(({ type, content, children, block }) => {
      switch (type) {
        case 'text':
        case 'text_special':
        case 'code_inline':
          return content;
        case 'fence':
        case 'code_block':
          return ` ${content} `;
        case 'html_block':
        case 'html_inline':
          return ` ${withoutTags(content)} `;
        case 'inline':
        case 'image':
          return textOf(children ?? []);
        case 'softbreak':
        case 'hardbreak':
          return ' ';
        default:
          // A block separates words; emphasis does not.
          return block ? ' ' : '';
      }
    })
    .join('');
}
