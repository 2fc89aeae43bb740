import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainText, sectionsOf, stripFrontMatter } from '../src/domains/knowledge/markdown.js';
import { passagesOf } from '../src/domains/knowledge/passages.js';
import { queryTerms } from '../src/domains/knowledge/query-terms.js';
import { rank, type Candidate } from '../src/domains/knowledge/ranking.js';
import { snippetOf } from '../src/domains/knowledge/snippet.js';
import { encode, indexTokens, stems } from '../src/domains/knowledge/index-tokens.js';

const tokenize = (text: string): string[] =>
  indexTokens({ title: '', heading: '', text })
    .split(' ')
    .filter((token) => token !== '');

describe('tokens', () => {
  test.each([
    ['HR', ['hr']],
    ['Élan, crème brûlée!', ['elan', 'creme', 'brule']],
    ['ＨＲ ﬁle №5', ['hr', 'file', '5']],
    ['Straße Łódź Ærø', ['strass', 'lodz', 'aero']],
    ['refunds refunded refunding', ['refund', 'refund', 'refund']],
    ["the employee's own", ['the', 'employe', 'own']],
    ['401(k) C++ e-mail', ['401', 'k', 'c', 'e', 'mail']],
    ['Ελλάδα Москва', ['ελλαδα', 'москва']],
    ['法務部門 です', ['法務', '務部', '部門', 'です']],
    ['"*+-()~<>@', []],
  ])('%s', (text, expected) => {
    expect(stems(text)).toEqual(expected);
  });

  test('every token is one that both databases take as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) =>
        tokenize(text).every((token) => /^[zy][a-z0-9]{2,59}$/.test(token)),
      ),
    );
  });

  test('what a text says can be asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), (given) => {
        // As every text is stored.
        const text = given.normalize('NFC');
        const said = new Set(tokenize(text));
        const asked = said.size === 0 ? [] : queryTerms(text.replace(/\p{Cc}/gu, ' '));
        return asked.every(([term]) => said.has(encode(term, 'word')));
      }),
    );
  });

  test('long words and one-letter words keep within the bounds', () => {
    expect(tokenize(`k ${'x'.repeat(500)}`).map((token) => token.length)).toEqual([3, 60]);
  });
});

describe('queries', () => {
  test.each([
    ['What is the refund policy?', ['refund', 'polici']],
    ['who are you', ['who', 'ar', 'you']],
    ['ask IT to help', ['ask', 'it', 'help']],
    ['REFUND AND RETURN', ['refund', 'return']],
    ['refund refunds Refunded', ['refund']],
  ])('%s', (query, expected) => {
    expect(queryTerms(query).map(([term]) => term)).toEqual(expected);
  });

  test.each(['', '  ', '?!', 'a'.repeat(501), 'a\u0000'])('%j is refused', (query) => {
    expect(() => queryTerms(query)).toThrow(/query/);
  });

  test('no more than 16 terms are looked for', () => {
    const words = Array.from({ length: 40 }, (_, index) => `w${String(index)}`).join(' ');
    expect(queryTerms(words)).toHaveLength(16);
  });
});

describe('Markdown', () => {
  test('front matter goes, a rule at the beginning stays', () => {
    expect(stripFrontMatter('---\ntitle: A\n---\nText')).toBe('Text');
    expect(stripFrontMatter('---\n\nText\n\n---\n')).toBe('---\n\nText\n\n---\n');
    expect(stripFrontMatter('---\ntitle: A\nText')).toBe('---\ntitle: A\nText');
  });

  test('sections begin at headings, but not inside code', () => {
    expect(sectionsOf('Intro\n# One #\n```sh\n# no heading\n```\n##Two\n## [Three](x) *now*\nEnd')).toEqual([
      { heading: '', text: 'Intro' },
      { heading: 'One', text: '```sh\n# no heading\n```\n##Two' },
      { heading: 'Three now', text: 'End' },
    ]);
  });

  test('plain text has the words and none of the marks', () => {
    const text =
      '> **Bold** _and_ `code`, [a link](https://example.org "title")\n\n- <b>tag</b>\n\n| a | b |\n|---|---|\n| 1 | 2 |';
    expect(plainText(text)).toBe('Bold and code, a link tag a b 1 2');
    expect(plainText('snake_case stays, 2 * 3 too')).toBe('snake_case stays, 2 * 3 too');
  });
});

describe('passages', () => {
  const of = (body: string, title = 'Title') => passagesOf({ title, body });

  test('are numbered from 1, and headings without text lead the next', async () => {
    expect(await of('# Title\n\n## Leave\n\n### Sick leave\n\nText.\n\n## Last')).toMatchObject([
      { position: 1, heading: 'Leave › Sick leave', body: 'Text.' },
      { position: 2, heading: 'Last', body: '' },
    ]);
  });

  test('long sections are cut at paragraphs, and nothing is lost', async () => {
    const paragraph = 'All of these words make one sentence of a long text. '.repeat(8).trim();
    const parts = await of(Array.from({ length: 10 }, () => paragraph).join('\n\n'));
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.every((part) => part.body.length <= 1_500 && part.body.endsWith('text.'))).toBe(true);
    expect(parts.map((part) => part.body).join('\n\n')).toBe(
      Array.from({ length: 10 }, () => paragraph).join('\n\n'),
    );
  });

  test.each([
    ['a million headings', '# a\n'.repeat(262_144)],
    ['one long word', 'x'.repeat(1_048_576)],
    ['open brackets', '['.repeat(1_048_576)],
    ['open tags', '<a'.repeat(524_288)],
    ['open comments', '<!--'.repeat(262_144)],
    ['letters of two halves', `x${'😀'.repeat(262_143)}`],
  ])('%s of 1 MiB stay few, short and quick', async (_, body) => {
    const parts = await of(body);
    expect(parts.length).toBeLessThanOrEqual(2_000);
    expect(parts.every((part) => part.body.length <= 1_500 && part.body.isWellFormed())).toBe(true);
  });

  test('a document without text has one passage that its title finds', async () => {
    expect(await of('', 'Empty')).toEqual([
      { position: 1, heading: '', body: '', plain: '', tokens: 'ztempti zwempti' },
    ]);
  });
});

describe('rank', () => {
  const candidate = (id: string, title: string, heading: string, text: string): Candidate => ({
    id,
    tokens: indexTokens({ title, heading, text }),
  });
  const order = (query: string, ...candidates: Candidate[]): string[] =>
    rank(candidates, queryTerms(query)).map((one) => one.id);

  test('all terms before some, titles and headings before text, phrases before scattered words', () => {
    expect(
      order('red fox', candidate('a', '', '', 'red red red'), candidate('b', '', '', 'a fox in red')),
    ).toEqual(['b', 'a']);
    expect(
      order(
        'fox',
        candidate('a', '', '', 'a fox'),
        candidate('b', '', 'Fox', 'text'),
        candidate('c', 'Fox', '', 'x'),
      ),
    ).toEqual(['c', 'b', 'a']);
    const filler = 'word '.repeat(30);
    expect(
      order(
        'red fox',
        candidate('a', '', '', `red ${filler} fox`),
        candidate('b', '', '', `red fox ${filler}`),
      ),
    ).toEqual(['b', 'a']);
  });

  test('ties break by id, whatever the order of the candidates', () => {
    const same = ['c', 'a', 'b'].map((id) => candidate(id, 'T', 'H', 'fox'));
    expect(order('fox', ...same)).toEqual(['a', 'b', 'c']);
  });

  test('candidates without any term are left out', () => {
    expect(order('fox', candidate('a', '', '', 'foxglove'))).toEqual([]);
  });

  test('a rare term weighs more than a frequent one', () => {
    const frequent = Array.from({ length: 20 }, (_, index) =>
      candidate(`f${String(index)}`, '', '', 'leave'),
    );
    expect(order('leave sabbatical', ...frequent, candidate('r', '', '', 'sabbatical'))[0]).toBe('r');
  });
});

describe('snippet', () => {
  test('is the part with most different terms, with the words in bold', () => {
    const text = `${'refund '.repeat(3)}${'filler word '.repeat(60)}The *refund* goes to the card. ${'more words '.repeat(60)}`;
    const snippet = snippetOf(plainText(text), ['refund', 'card']);
    expect(snippet).toMatch(/^….*The \*\*refund\*\* goes to the \*\*card\*\*\..*…$/);
    expect(snippet.replaceAll('**', '').length).toBeLessThanOrEqual(244);
  });

  test('is the beginning where the text has no term, and whole letters where it has no spaces', () => {
    expect(snippetOf('Short text.', ['fox'])).toBe('Short text.');
    expect(snippetOf('', ['fox'])).toBe('');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (text) =>
        snippetOf(text, ['a', 'x']).isWellFormed(),
      ),
    );
  });
});

const dataFolder =
  process.env.BEHALF_TEST_DATA ?? fileURLToPath(new URL('../../shared/data', import.meta.url));
const handbook = join(dataFolder, 'handbook', 'pages');
const isThere = existsSync(handbook);

describe(`a real handbook${isThere ? '' : ' (skipped: set BEHALF_TEST_DATA to a folder with handbook/pages)'}`, () => {
  const load = async (): Promise<(Candidate & { title: string })[]> => {
    const paths = readdirSync(handbook, { recursive: true, encoding: 'utf8' });
    const pages = paths
      .filter((path) => path.endsWith('.md'))
      .sort()
      .map(async (path) => {
        const body = readFileSync(join(handbook, path), 'utf8');
        const title = /^title: *["']?(.*?)["']?$/m.exec(body)?.[1] ?? path;
        return (await passagesOf({ title, body })).map((passage) => ({
          id: `${path} ${String(passage.position).padStart(4, '0')}`,
          title,
          tokens: passage.tokens,
        }));
      });
    return (await Promise.all(pages)).flat();
  };

  test.skipIf(!isThere)('questions lead to the pages that answer them', async () => {
    const candidates = await load();
    const titles = new Map(candidates.map((one) => [one.id, one.title]));
    const best = (query: string): string[] =>
      rank(candidates, queryTerms(query))
        .slice(0, 3)
        .map((one) => titles.get(one.id) ?? '');
    expect(best('parental leave')[0]).toBe('Paid parental leave (PPL)');
    expect(best('how do I get a travel card')[0]).toBe('Get a travel card');
    expect(best('report a security incident')[0]).toBe('Security incidents');
    expect(best('what laptop do I get')[0]).toBe('Equipment');
    expect(best('HR')).toContain('HR Links');
    expect(best('top secret clearance')[0]).toMatch(/^Top Secret/);
  });
});

test('fields have names of their own', () => {
  expect([encode('hr', 'word'), encode('hr', 'title'), encode('é', 'heading')]).toEqual([
    'zwhr',
    'zthr',
    'yh006h',
  ]);
});
