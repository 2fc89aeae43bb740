import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { classifications } from '../domains/knowledge/tables.js';

const collectionShape = z.object({ key: z.string(), name: z.string(), description: z.string() });
const frontMatter = z.object({
  title: z.string(),
  classification: z.enum(classifications),
  owner: z.string().optional(),
});

type DemoCollection = z.infer<typeof collectionShape>;

interface DemoDocument extends z.infer<typeof frontMatter> {
  /** The path below the company's folder, with `/`. */
  readonly path: string;
  readonly collection: string;
  readonly body: string;
}

/** The demo company's folder, found upwards from this file; the same from the sources and from the build. */
export function companyFolder(from = dirname(fileURLToPath(import.meta.url))): string {
  const here = join(from, 'examples', 'company');
  if (existsSync(join(here, 'collections.yaml'))) return here;
  const parent = dirname(from);
  if (parent === from) throw new Error('The folder `examples/company` with the demo company is missing.');
  return companyFolder(parent);
}

export const demoCollections = (folder: string): DemoCollection[] =>
  z.array(collectionShape).parse(parse(readFileSync(join(folder, 'collections.yaml'), 'utf8')));

/** Each document of each collection, with its front matter parsed and removed. */
export const demoDocuments = (folder: string, collections: readonly DemoCollection[]): DemoDocument[] =>
  collections.flatMap(({ key }) =>
    readdirSync(join(folder, 'documents', key))
      .filter((file) => file.endsWith('.md'))
      .sort()
      .map((file) => {
        const text = readFileSync(join(folder, 'documents', key, file), 'utf8');
        const [, matter = '', body = ''] = /^---\n(.*?)\n---\n(.*)$/s.exec(text) ?? [];
        return {
          path: `${key}/${file}`,
          collection: key,
          body: body.trim(),
          ...frontMatter.parse(parse(matter)),
        };
      }),
  );
