import { spans } from './word-spans.js';
import { stem } from './index-tokens.js';

const lengthMax = 240;

interface Found {
  readonly start: number;
  readonly end: number;
  readonly term: string;
}

/**
 * The part of a plain text with the most terms: matches in `**`, `…` where it was truncated. The beginning of
 * the text where only title or heading match.
 */
export function snippetOf(text: string, terms: readonly string[]): string {
  const found = findTerms(text, terms);
  const best = bestRun(found);
  const first = best[0]?.start ?? 0;
  const last = best.at(-1)?.end ?? 0;
  const margin = Math.max(0, Math.floor((lengthMax - (last - first)) / 2));
  const start =
    best.length === 0 ? 0 : wordStart(text, Math.max(0, Math.min(first - margin, text.length - lengthMax)));
  const end = Math.max(last, wordEnd(text, start + lengthMax));
  const shown = found.filter((one) => one.start >= start && one.end <= end);
  let marked = '';
  let at = start;
  for (const one of shown) {
    marked += `${text.slice(at, one.start)}**${text.slice(one.start, one.end)}**`;
    at = one.end;
  }
  marked += text.slice(at, end);
  return `${start > 0 ? '…' : ''}${marked.trim()}${end < text.length ? '…' : ''}`;
}

function findTerms(text: string, terms: readonly string[]): Found[] {
  const wanted = new Set(terms);
  // A stem begins with the same letter as its word, so most words need not be stemmed.
  const initials = new Set(terms.map((term) => term.charAt(0)));
  const found: Found[] = [];
  for (const { start, end, words } of spans(text)) {
    const term = words
      .filter((word) => initials.has(word.charAt(0)))
      .map(stem)
      .find((one) => wanted.has(one));
    const last = found.at(-1);
    if (term === undefined) continue;
    // Overlapping matches, as in scripts without spaces, are marked once.
    if (last !== undefined && start < last.end)
      found.splice(-1, 1, { ...last, end: Math.max(end, last.end) });
    else found.push({ start, end, term });
  }
  return found;
}

/** The adjacent matches that fit into one snippet, with the most different terms, then the most matches. */
function bestRun(found: readonly Found[]): readonly Found[] {
  let best: readonly Found[] = [];
  let bestValue = 0;
  let to = 0;
  for (let from = 0; from < found.length; from += 1) {
    const start = found[from]?.start ?? 0;
    while (to < found.length && (found[to]?.end ?? 0) - start <= lengthMax) to += 1;
    const run = found.slice(from, to);
    const value = new Set(run.map((one) => one.term)).size * 1_000 + run.length;
    if (value > bestValue) [best, bestValue] = [run, value];
  }
  return best;
}

/** The next beginning of a word, or the offset itself where it is one. */
function wordStart(text: string, at: number): number {
  if (at === 0 || text.charAt(at - 1) === ' ') return at;
  const space = text.indexOf(' ', at);
  return space < 0 || space - at > 30 ? wholeLetter(text, at) : space + 1;
}

function wordEnd(text: string, at: number): number {
  if (at >= text.length) return text.length;
  const space = text.lastIndexOf(' ', at);
  return at - space > 30 ? wholeLetter(text, at) : space;
}

/** Moves an offset so that it never splits a surrogate pair. */
const wholeLetter = (text: string, at: number): number =>
  /[\udc00-\udfff]/.test(text.charAt(at)) ? at - 1 : at;
