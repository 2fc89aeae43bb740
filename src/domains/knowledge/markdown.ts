/** A part of a Markdown text under one heading, which is empty before the first. */
export interface Section {
  readonly heading: string;
  readonly text: string;
}

const headingLengthMax = 300;

/** Without the YAML block with which a Markdown file may begin. */
export function stripFrontMatter(markdown: string): string {
  if (!/^---[ \t]*\n[ \t]*[\w-]+[ \t]*:/.test(markdown)) return markdown;
  const end = /\n---[ \t]*(\n|$)/.exec(markdown);
  return end === null ? markdown : markdown.slice(end.index + end[0].length);
}

/** Splits at headings (`#` to `######`), but not inside code. Lines too long for a heading are text. */
export function sectionsOf(markdown: string): Section[] {
  const sections: { heading: string; lines: string[] }[] = [{ heading: '', lines: [] }];
  let fence = '';
  for (const line of markdown.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? '';
    if (fence === '') fence = mark;
    else if (mark.startsWith(fence)) fence = '';
    const heading = fence === '' && mark === '' ? headingOf(line) : undefined;
    if (heading !== undefined) sections.push({ heading, lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections.map(({ heading, lines }) => ({ heading, text: lines.join('\n').trim() }));
}

function headingOf(line: string): string | undefined {
  if (line.length > headingLengthMax || !/^ {0,3}#{1,6}([ \t]|$)/.test(line)) return undefined;
  return plainText(line.trim().replace(/^#+/, '').trimEnd().replace(/\s#+$/, ''));
}

/**
 * The words that a reader sees, on one line: without marks, tags and the targets of links. The patterns are
 * bounded, so that no text makes them slow.
 */
export function plainText(markdown: string): string {
  return markdown
    .replace(/<!--[^>]{0,2000}-->/g, ' ')
    .replace(/\{%[^%}]{0,500}%\}|\{:?[.#:][^}\n]{0,200}\}/g, ' ')
    .replace(/!?\[([^[\]]{0,1000})\]\([^()\s]{0,2000}(?:\s[^()]{0,300})?\)/g, '$1')
    .replace(/<\/?[a-zA-Z][^<>]{0,500}>/g, ' ')
    .replace(/^[ \t]*\|?[ \t:|-]{3,500}\|?[ \t]*$/gm, ' ')
    .replace(/^[ \t]*(?:>[ \t]?|[-*+][ \t]+|#{1,6}[ \t]+)/gm, '')
    .replace(/[*_]{2,}|[`~]{1,}/g, '')
    .replace(/(^|[\s("'])[*_](?=\S)|(?<=\S)[*_](?=[\s.,;:!?)"']|$)/g, '$1')
    .replace(/[|\s]+/g, ' ')
    .trim();
}
