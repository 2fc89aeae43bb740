/** The block at the beginning of a Markdown text, recognised by its fences alone. */
type FrontMatterBlock =
  | { readonly kind: 'none'; readonly lead: string; readonly rest: string }
  | {
      readonly kind: 'yaml';
      readonly lead: string;
      /** The text between the fences. */
      readonly yaml: string;
      /** The line of the opening fence, from 1. */
      readonly line: number;
      readonly rest: string;
    }
  /** It begins like front matter, but cannot be read. The reason is a sentence. */
  | { readonly kind: 'unreadable'; readonly line: number; readonly reason: string };

/** Blank lines, comments and invisible characters, which may precede the opening fence. */
const leading = /^(?:[\s\p{Cf}]+|<!--[^]*?-->)*/u;
const invisible = /\p{Cf}/gu;

/** Expects line ends of `\n`. */
export function frontMatterBlock(text: string): FrontMatterBlock {
  const [blank = ''] = leading.exec(text) ?? [];
  const lead = text.slice(0, blank.length);
  const line = breaksIn(lead) + 1;
  const lines = text.slice(lead.length).split('\n');
  const first = bare(lines[0]);
  const unreadable = (reason: string): FrontMatterBlock => ({ kind: 'unreadable', line, reason });
  if (/^\+\+\+/.test(first)) return unreadable('Front matter in TOML is not read here: write it as YAML.');
  if (/^\{\s*(?:$|["'}]|\w+\s*:)/.test(first))
    return unreadable('Front matter in JSON is not read here: write it as YAML, between lines of `---`.');
  if (!/^---(?!-)/.test(first)) return { kind: 'none', lead, rest: text.slice(lead.length) };
  if (first !== '---')
    return unreadable('Front matter begins with a line of three dashes alone; this one has more.');
  const end = lines.findIndex((each, at) => at > 0 && /^(?:---|\.\.\.)$/.test(bare(each)));
  if (end === -1) return unreadable('The front matter that begins here is never closed by a line of `---`.');
  return {
    kind: 'yaml',
    lead,
    line,
    yaml: lines.slice(1, end).join('\n'),
    rest: lines.slice(end + 1).join('\n'),
  };
}

const bare = (line = ''): string => line.replace(invisible, '').trimEnd();

const breaksIn = (text: string): number => text.split('\n').length - 1;
