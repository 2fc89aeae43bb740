import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { paragraphs } from '../../src/core/checked-text.js';
import { plainText, readSections, sectionsOf } from '../../src/domains/knowledge/markdown.js';
import { passagesOf } from '../../src/domains/knowledge/passages.js';

const headings = (markdown: string): string[] => sectionsOf(markdown).map(({ heading }) => heading);

describe('24 a document is divided as CommonMark reads it', () => {
  test.each([
    ['code in one line', '```not a fence```\n# Heading', ['', 'Heading']],
    ['tildes in one line', '~~~ a ~~~\n# Code\n~~~\n# Heading', ['', 'Heading']],
    ['a fence within a fence', '````\n```\n# Code\n````\n# Heading', ['', 'Heading']],
    ['a fence that tildes do not close', '```\n~~~\n# Code\n```\n# Heading', ['', 'Heading']],
    ['a fence that nothing closes', 'Text\n```\n# Code', ['']],
    ['a fence in a list', '- item\n  ```\n  # Code\n  ```\n\n# Heading', ['', 'Heading']],
    ['indented code', '    # Code\n\n# Heading', ['', 'Heading']],
    ['underlined headings', 'First\n=====\n\nText\n\nSecond\n---\nText', ['', 'First', 'Second']],
    [
      'an underlined heading of two lines',
      'A heading\nof two lines\n===\nText',
      ['', 'A heading of two lines'],
    ],
    ['a rule', 'Text\n\n---\n\nMore', ['']],
    ['a comment', '<!--\n# Comment\n-->\n\n# Heading', ['', 'Heading']],
    ['a quotation', '> # Quoted\n\n# Heading', ['', 'Heading']],
    ['closing marks and escapes', '# One \\# #\n## *Two* `three` [four](x)', ['', 'One #', 'Two three four']],
    ['no space', '#hashtag\n# Heading', ['', 'Heading']],
    ['only carriage returns', paragraphs('# One\rText\r\r# Two\rMore', 100, 'body'), ['', 'One', 'Two']],
  ])('%s', (_, markdown, expected) => {
    expect(headings(markdown)).toEqual(expected);
  });

  test('a document of only carriage returns has its headings, whoever stored it', async () => {
    const parts = await passagesOf({ title: 'T', body: '# One\r\rText\r\r# Two\r\rMore' });
    expect(parts).toMatchObject([
      { heading: 'One', body: 'Text' },
      { heading: 'Two', body: 'More' },
    ]);
  });

  test.each([
    ['reference links', '[the text][ref] and [ref]\n\n[ref]: https://example.org', 'the text and ref'],
    ['pictures', '![A cat](cat.png) sleeps', 'A cat sleeps'],
    ['escapes and entities', '\\*not bold\\* &amp; caf&eacute;', '*not bold* & café'],
    [
      'emphasis inside words',
      'un*frigging*believable snake_case_name',
      'unfriggingbelievable snake_case_name',
    ],
    ['code', 'Run `npm  ci`:\n\n```sh\nnpm start\n```', 'Run npm ci: npm start'],
    ['a table', '| a | b |\n|---|---|\n| 1 | 2 |', 'a b 1 2'],
    ['lists', '1. one\n2. two\n   - three', 'one two three'],
    ['autolinks', 'See <https://example.org>.', 'See https://example.org.'],
  ])('what a reader sees of %s', (_, markdown, expected) => {
    expect(plainText(markdown)).toBe(expected);
  });
});

describe('24 a long document is read in slices', () => {
  const paragraph = 'Some *words* of a text, one after the other.\n';
  const block = fc.oneof(
    fc.integer({ min: 1, max: 6 }).map((level) => `${'#'.repeat(level)} Heading\n\n`),
    fc.constant('Underlined\n===\n\n'),
    fc.integer({ min: 1, max: 150 }).map((count) => `${paragraph.repeat(count)}\n`),
    fc.integer({ min: 1, max: 600 }).map((count) => `\`\`\`\n${'# code\n'.repeat(count)}\`\`\`\n`),
    fc.integer({ min: 1, max: 600 }).map((count) => `<!--\n${'# comment\n\n'.repeat(count)}-->\n\n`),
    fc
      .integer({ min: 1, max: 100 })
      .map((count) => `${'- item\n\n  ```\n  # code\n  ```\n'.repeat(count)}\n`),
    fc.integer({ min: 1, max: 100 }).map((count) => `${'> # quoted\n> text\n'.repeat(count)}\n`),
  );

  test('and is divided as it would be at once', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const markdown = blocks.join('');
        const told = blocks
          .filter((one) => /^#|^Under/.test(one))
          .map((one) => (one.startsWith('#') ? 'Heading' : 'Underlined'));
        expect(headings(markdown)).toEqual(['', ...told]);
      }),
      { numRuns: 60 },
    );
  });

  const long = (text: string): string => text.repeat(Math.ceil(300_000 / text.length)).slice(0, 300_000);
  const hostile: readonly (readonly [string, string])[] = [
    ['headings', long('# a\n')],
    ['underlined headings', long('a\n-\n')],
    ['one list', long('- a\n\n  b\n')],
    ['lists in lists', long('1. a\n   1. b\n')],
    [
      'deeper and deeper',
      Array.from({ length: 550 }, (_, depth) => `${' '.repeat(depth * 2)}- a\n`).join(''),
    ],
    ['quotations in quotations', long('> ')],
    ['quoted lines', long(`${'>'.repeat(200)} a\n`)],
    ['one fence', `\`\`\`\n${long('# code\n')}`],
    ['a table', `| a | b |\n|---|---|\n${long('| c | d |\n')}`],
    ['references', long('[a]: b\n\n')],
    ['open brackets', long('[')],
    ['open links', long('[a](b')],
    ['open tags', long('<a')],
    ['emphasis', long('**_* ')],
    ['escaped code', long('\\`')],
    ['Thai', long('ร้านกาแฟใหม่เปิดแล้ว')],
  ];

  test.each(hostile)(
    'of a long text of %s nothing is parsed that is longer than a slice and a line',
    (_, markdown) => {
      const slices = [...readSections(markdown)].filter((section) => section === undefined).length;
      const longest = markdown.split('\n').reduce((most, line) => Math.max(most, line.length), 0);
      expect(slices).toBeGreaterThanOrEqual(Math.floor(markdown.length / (8_192 + longest + 1)));
    },
  );

  test.each(hostile)(
    'while passages are made of a long text of %s, others have a turn for every two of them',
    async (_, markdown) => {
      let turns = 0;
      let isDone = false;
      const count = (): void => {
        turns += 1;
        if (!isDone) setImmediate(count);
      };
      setImmediate(count);
      const parts = await passagesOf({ title: 'T', body: markdown });
      isDone = true;
      expect(turns).toBeGreaterThanOrEqual(Math.floor(parts.length / 2) - 1);
      expect(parts.length).toBeLessThanOrEqual(2_001);
    },
  );

  test('what is nested deeper than anybody reads keeps its words', () => {
    expect(plainText(`${'> '.repeat(500)}buried words`)).toBe('buried words');
  });
});
