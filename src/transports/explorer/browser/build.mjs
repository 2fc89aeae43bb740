// Puts the files of the explorer into dist/explorer: GraphiQL and React as their packages have them, and the two beside
// this one. Nothing is bundled; the server sends these files and no others.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const { resolve } = createRequire(import.meta.url);
const here = import.meta.dirname;
const out = join(here, '../../../../dist/explorer');

const textIn = (name, path) => readFileSync(join(dirname(resolve(`${name}/package.json`)), path), 'utf8');

/** Pages use the fonts of the reader's system: the fonts of the package are nine tenths of its style sheet. */
const withoutFonts = (css) => css.replaceAll(/@font-face\s*\{[^}]*\}/g, '');

const files = {
  'react.js': textIn('react', 'umd/react.production.min.js'),
  'react-dom.js': textIn('react-dom', 'umd/react-dom.production.min.js'),
  'graphiql.js': textIn('graphiql', 'graphiql.min.js'),
  'graphiql.css': withoutFonts(textIn('graphiql', 'graphiql.min.css')),
  'explorer.js': readFileSync(join(here, 'explorer.js'), 'utf8'),
  'explorer.css': readFileSync(join(here, 'explorer.css'), 'utf8'),
  'LICENSES.txt': ['graphiql', 'react', 'react-dom']
    .map((name) => `${name}\n\n${textIn(name, 'LICENSE')}`)
    .join('\n\n'),
};

mkdirSync(out, { recursive: true });
for (const [name, text] of Object.entries(files)) writeFileSync(join(out, name), text);
