import {
  LineCounter,
  isAlias,
  isMap,
  isNode,
  isScalar,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Pair,
  type Scalar,
} from 'yaml';
import { frontMatterBlock } from '../domains/knowledge/front-matter.js';
import { classifications, type Classification } from '../domains/knowledge/tables.js';
import { yamlReason, type InputFaults } from '../operator/input-faults.js';
import { quoted } from './time-formats.js';

/** The entries of a document's front matter that are used here. Other entries are ignored. */
interface FrontMatter {
  readonly title: { readonly text: string; readonly line: number } | undefined;
  readonly classification: Classification | undefined;
  /** The text below the block, and the number of lines above that text. */
  readonly rest: string;
  readonly linesAbove: number;
}

/**
 * Reads the front matter of a text. It may decide who can read the document. So anything that looks like
 * front matter but cannot be read, or like a classification but is not valid, is a fault, and never ignored.
 */
export function frontMatterOf(path: string, text: string, faults: InputFaults): FrontMatter | undefined {
  const before = faults.count;
  const fault = (line: number, reason: string, column = 'front matter'): void => {
    faults.add({ file: path, line, column, reason });
  };
  const block = frontMatterBlock(text);
  if (block.kind === 'unreadable') {
    fault(block.line, block.reason);
    return undefined;
  }
  const linesAbove = text.split('\n').length - block.rest.split('\n').length;
  const facts = block.kind === 'yaml' ? new Reader(block.yaml, block.line, fault).facts() : {};
  if (facts.classification === undefined) {
    const { at, text: first } = firstBlock(block.rest);
    const doubtful = doubtfulLine(block.lead, 1) ?? doubtfulLine(first, linesAbove + at + 1);
    if (doubtful !== undefined)
      fault(
        doubtful,
        'This looks like a classification, and stands in no front matter: put it between two lines of `---`, at the top.',
      );
  }
  if (faults.count > before) return undefined;
  return { title: facts.title, classification: facts.classification, rest: block.rest, linesAbove };
}

/** Words that never describe a public page. */
const guarded: ReadonlySet<string> = new Set<Classification>(['confidential', 'restricted']);

type Tell = (line: number, reason: string, column?: string) => void;
type Facts = Partial<Pick<FrontMatter, 'title' | 'classification'>>;

class Reader {
  private readonly lines = new LineCounter();
  private readonly document: Document;

  constructor(
    yaml: string,
    /** The line of the opening fence. */
    private readonly line: number,
    private readonly tell: Tell,
  ) {
    this.document = parseDocument(yaml, { lineCounter: this.lines });
  }

  facts(): Facts {
    const { contents, errors, warnings } = this.document;
    for (const { pos, message } of [...errors, ...warnings])
      this.tell(this.line + this.lines.linePos(pos[0]).line, yamlReason(message));
    if (errors.length + warnings.length > 0 || contents === null) return {};
    if (!isMap(contents)) {
      this.tell(this.lineOf(contents), 'Front matter has entries, each a name and a value. This is none.');
      return {};
    }
    this.refuseNested();
    const entries = new Map<string, Pair>();
    for (const pair of contents.items) {
      const name = nameOf(this.resolved(pair.key));
      if (name === undefined || name === '<<')
        this.tell(this.lineOf(pair.key), 'This is not the name of an entry.');
      else if (entries.has(name) && (name === 'title' || name === 'classification'))
        this.tell(this.lineOf(pair.key), `The entry ${name} is there twice.`);
      else entries.set(name, pair);
    }
    if (!entries.has('classification')) this.refuseAlike();
    return {
      title: this.title(entries.get('title')),
      classification: this.level(entries.get('classification')),
    };
  }

  /**
   * Refuses other entries that seem to state a classification: typing errors, other languages, look-alike
   * letters. They would be ignored otherwise.
   */
  private refuseAlike(): void {
    visit(this.document, {
      Pair: (_, { key, value }) => {
        const name = nameOf(this.resolved(key)) ?? '';
        const valueText = nameOf(this.resolved(value)) ?? '';
        const isAlike = name.replace(/\P{L}/gu, '').includes('classif');
        if (name !== 'title' && name !== 'classification' && (isAlike || guarded.has(valueText)))
          this.tell(
            this.lineOf(key),
            `Nothing is read of ${quoted(name)}: who may read the page is said by \`classification\`.`,
            'classification',
          );
      },
    });
  }

  private level(pair: Pair | undefined): Classification | undefined {
    if (pair === undefined) return undefined;
    const value = this.resolved(pair.value);
    const word = isScalar(value) ? value.value : undefined;
    const found = classifications.find((name) => name === word);
    if (found === undefined)
      this.tell(
        this.lineOf(pair.value ?? pair.key),
        `${typeof word === 'string' ? JSON.stringify(word) : 'This'} is no classification; it is one of the words ${classifications.join(', ')}.`,
        'classification',
      );
    return found;
  }

  /** The title as it was written: `1.10` is not the number 1.1, and `007` is not 7. */
  private title(pair: Pair | undefined): FrontMatter['title'] {
    const value = this.resolved(pair?.value);
    if (pair === undefined || value === null || value === undefined) return undefined;
    const line = this.lineOf(pair.value ?? pair.key);
    const text = isScalar(value) ? writtenAs(value) : undefined;
    if (text === undefined) this.tell(line, 'A title is one text.', 'title');
    return text === undefined || text === '' ? undefined : { text, line };
  }

  /** Refuses a classification inside another entry, where it would be ignored. */
  private refuseNested(): void {
    visit(this.document, {
      Pair: (_, pair, path) => {
        if (path.length > 2 && nameOf(this.resolved(pair.key)) === 'classification')
          this.tell(
            this.lineOf(pair.key),
            'A classification stands at the top, not inside another entry.',
            'classification',
          );
      },
    });
  }

  private resolved(node: unknown): Node | null | undefined {
    if (isAlias(node)) return node.resolve(this.document);
    return isNode(node) ? node : null;
  }

  private lineOf(node: unknown): number {
    const at = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    return this.line + this.lines.linePos(at).line;
  }
}

/** The name of an entry, normalised: case and width of letters make no difference. */
function nameOf(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null || typeof key.value === 'object') return undefined;
  return writtenAs(key)
    ?.normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .trim()
    .toLowerCase();
}

function writtenAs({ value, source }: Scalar): string | undefined {
  if (value === null) return '';
  const text = typeof value === 'string' ? value : source;
  return text?.replace(/\s+/g, ' ').trim();
}

/** The first lines up to a blank one, below the page's headings, and the number of lines above. */
function firstBlock(text: string): { at: number; text: string } {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => !/^\s*(?:#.*)?$/.test(line));
  const end = lines.findIndex((line, index) => index > at && line.trim() === '');
  return {
    at: Math.max(at, 0),
    text: at === -1 ? '' : lines.slice(at, end === -1 ? undefined : end).join('\n'),
  };
}

/** A line that seems to state who may read the text. Headings do not count. */
function doubtfulLine(text: string, firstLine: number): number | undefined {
  const at = text
    .split('\n')
    .findIndex(
      (line) => !/^\s*#/.test(line) && /^[^\p{L}\p{N}]*classification[^\p{L}\p{N}:=|]*[:=|]/iu.test(line),
    );
  return at === -1 ? undefined : firstLine + at;
}
