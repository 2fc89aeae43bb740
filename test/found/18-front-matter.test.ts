import { describe, expect, test } from 'vitest';
import { readDocument } from '../../src/import/document-file.js';
import { InputFaults } from '../../src/operator/input-faults.js';

const read = (text: string) => {
  const faults = new InputFaults();
  return { document: readDocument('hr/page.md', Buffer.from(text), faults), faults: faults.all };
};
const yaml = (...lines: string[]): string =>
  ['---', ...lines, '---', '', '# Page', '', 'Text.', ''].join('\n');

describe('18 a classification is read however the front matter is written', () => {
  test.each([
    ['a comment first', yaml('# who may read this', 'title: A', 'classification: restricted')],
    ['a blank line first', yaml('', 'classification: restricted')],
    ['a line of spaces first', yaml('   ', 'classification: restricted')],
    ['a quoted key', yaml('"title": A', '"classification": restricted')],
    ['a key in single quotes', yaml("'classification': 'restricted'")],
    ['a key that is not ASCII', yaml('größe: 3', 'classification: restricted')],
    ['a key in another script', yaml('タイトル: A', 'classification: restricted')],
    ['a key with a space or a dot', yaml('last updated: 1', 'a.b: 2', 'classification: restricted')],
    ['capitals in the key', yaml('Classification: restricted')],
    ['a wide key', yaml('ｃlassification: restricted')],
    ['an explicit key', yaml('? classification', ': restricted')],
    ['one flow mapping', yaml('{ title: A, classification: restricted }')],
    ['JSON between the fences', yaml('{"title": "A", "classification": "restricted"}')],
    ['a list in another entry', yaml('tags: [a, b]', 'more:', '  - c', 'classification: restricted')],
    ['an anchor and a tag', yaml('classification: &level !!str restricted')],
    ['an alias', yaml('level: &level restricted', 'classification: *level')],
    ['a comment behind it', yaml('classification: restricted # by the board')],
    ['dots that close', '---\nclassification: restricted\n...\nText.\n'],
    ['spaces behind the fences', '---  \nclassification: restricted\n---\t\nText.\n'],
    ['CRLF', yaml('title: A', 'classification: restricted').replaceAll('\n', '\r\n')],
    ['CR alone', yaml('title: A', 'classification: restricted').replaceAll('\n', '\r')],
    ['a byte order mark', `\ufeff${yaml('classification: restricted')}`],
    ['two byte order marks', `\ufeff\ufeff${yaml('classification: restricted')}`],
    ['blank lines before the fence', `\n \n${yaml('classification: restricted')}`],
    ['a zero-width space before the fence', `\u200b${yaml('classification: restricted')}`],
    ['an HTML comment before the fence', `<!-- made\nby hand -->\n${yaml('classification: restricted')}`],
    ['nothing below', '---\nclassification: restricted\n---'],
    ['an entry like it beside', yaml('classified: restricted', 'classification: restricted')],
  ])('with %s', (_, text) => {
    expect(read(text)).toMatchObject({ document: { classification: 'restricted' }, faults: [] });
  });

  test.each([
    ['another word', yaml('title: A', 'classification: secret'), 3],
    ['capitals', yaml('classification: RESTRICTED'), 2],
    ['two words', yaml('classification: restricted, internal'), 2],
    ['a list', yaml('classification: [restricted]'), 2],
    ['a list in lines', yaml('classification:', '  - restricted'), 3],
    ['a mapping', yaml('classification: { level: restricted }'), 2],
    ['nothing', yaml('title: A', 'classification:'), 3],
    ['null', yaml('classification: null'), 2],
    ['an empty text', yaml('classification: ""'), 2],
    ['a number', yaml('classification: 3'), 2],
    ['true', yaml('classification: true'), 2],
    ['an unknown tag', yaml('classification: !secret restricted'), 2],
    ['an alias of nothing', yaml('classification: *level'), 2],
    ['an alias of a list', yaml('a: &a [restricted]', 'classification: *a'), 3],
    ['two entries', yaml('classification: public', 'classification: restricted'), 3],
    ['two entries in two cases', yaml('classification: public', 'Classification: restricted'), 3],
    ['a merge key', yaml('base: &base { classification: restricted }', '<<: *base'), 2],
    ['another entry around it', yaml('meta:', '  classification: restricted'), 3],
    ['a list around it', yaml('- classification: restricted'), 2],
    ['a tab before it', yaml('title: A', '\tclassification: restricted'), 3],
    ['a fault of the YAML', yaml('title: "A', 'classification: restricted'), undefined],
    ['TOML', '+++\nclassification = "restricted"\n+++\nText.\n', 1],
    ['TOML below a comment', '<!-- a -->\n\n+++\nclassification = "restricted"\n+++\n', 3],
    ['JSON', '{\n  "classification": "restricted"\n}\n\nText.\n', 1],
    ['JSON in one line', '{"classification": "restricted"}\n\nText.\n', 1],
    ['no closing fence', '---\ntitle: A\nclassification: restricted\n\nText.\n', 1],
    ['an indented closing fence', '---\nclassification: restricted\n  ---\nText.\n', 1],
    ['a language at the fence', '---toml\nclassification = "restricted"\n---\n', 1],
    ['something behind the fence', '--- # top\nclassification: restricted\n---\n', 1],
    ['a plain text', '---\njust words\n---\n', 2],
    ['no fences', 'title: A\nclassification: restricted\n\n# Page\n', 2],
    ['other fences', '***\nclassification: restricted\n***\nText.\n', 2],
    ['long fences', '-----\nclassification: restricted\n-----\nText.\n', 2],
    ['a dash of another kind', '—\nclassification: restricted\n—\nText.\n', 2],
    ['code around it', '```yaml\nclassification: restricted\n```\nText.\n', 2],
    ['an HTML comment around it', '<!--\nclassification: restricted\n-->\nText.\n', 2],
    ['a second block', '---\ntitle: A\n---\n---\nclassification: restricted\n---\nText.\n', 5],
    ['bold letters', '**Classification:** restricted\n\nText.\n', 1],
    ['bold letters below the title', '# Page\n\n**Classification:** Restricted\n\nText.\n', 3],
    ['a block below the title', '# Page\n\n---\nclassification: restricted\n---\n', 4],
    ['a table', '| Classification | restricted |\n|---|---|\n\nText.\n', 1],
    ['a key with a Cyrillic letter', yaml('title: A', 'cl\u0430ssification: restricted'), 3],
    ['a key with a slip', yaml('title: A', 'classifcation: restricted'), 3],
    ['a key in the plural', yaml('Classifications: internal'), 2],
    ['a longer key', yaml('security-classification: TOP SECRET'), 2],
    ['a key with a hyphen', yaml('classi-fication: internal'), 2],
    ['a key in another language', yaml('Klassifizierung: restricted'), 2],
    ['another key', yaml('visibility: Confidential'), 2],
    ['another key, inside another entry', yaml('access:', '  readers: restricted'), 3],
  ])('and refused with its line where it is %s', (_, text, line) => {
    const { document, faults } = read(text);
    expect(document).toBeUndefined();
    expect(faults[0]).toMatchObject({ file: 'hr/page.md', reason: expect.any(String) });
    expect(faults[0]?.line).toEqual(line ?? expect.any(Number));
  });

  test.each([
    ['no front matter', '# Page\n\nText.\n'],
    ['an empty block', '---\n---\n# Page\n'],
    ['a block of comments', '---\n# nothing here\n---\n# Page\n'],
    ['other entries', yaml('author: B', 'order: 3')],
    ['a rule further down', '# Page\n\nText.\n\n---\nclassification: restricted\n---\n'],
    ['a title of one such word', yaml('title: Restricted')],
    ['other entries of such words', yaml('audience: public', 'kind: internal')],
    ['a heading about it', '# Classification: who may read what\n\nText.\n'],
    ['a text about it', '# Page\n\nThe classification: see below.\n'],
    ['a template', '{% include a.md %}\n{{ b }}\n{: .c }\n'],
  ])('none is found in %s', (_, text) => {
    const { document, faults } = read(text);
    expect(faults).toEqual([]);
    expect(document).toMatchObject({ classification: undefined });
  });

  test.each([
    ['1.10', '1.10'],
    ['007', '007'],
    ['true', 'true'],
    ['No', 'No'],
    ['2024-05-01', '2024-05-01'],
    ['0x1F', '0x1F'],
    ['1e3', '1e3'],
    ['12:30:45', '12:30:45'],
    ['.5', '.5'],
    ['"quoted: 1.10"', 'quoted: 1.10'],
    ["'it''s'", "it's"],
    ['>\n  over two\n  lines', 'over two lines'],
    ['1.10 # the version', '1.10'],
  ])('a title written %s is %s', (written, title) => {
    expect(read(yaml(`title: ${written}`))).toMatchObject({ document: { title }, faults: [] });
  });

  test.each(['[A, B]', '{ a: 1 }'])('a title written %s is refused with its line', (written) => {
    expect(read(yaml('order: 1', `title: ${written}`)).faults).toMatchObject([{ line: 3, column: 'title' }]);
  });
});
