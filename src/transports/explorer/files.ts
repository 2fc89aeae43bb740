import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { sha256 } from '../../core/digest.js';
import { packageFolder } from '../../core/version.js';

interface File {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
  readonly zipped: Buffer;
  /** RFC 9110 section 8.8.3. */
  readonly tag: string;
}

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
};

export type ExplorerFiles = readonly File[];

export const filesPath = '/graphql/explorer';

/** The files of the explorer's page, as the build has put them beside the program. Throws where there are none. */
export function readExplorerFiles(folder = join(packageFolder(), 'dist/explorer')): ExplorerFiles {
  try {
    return readdirSync(folder).map((name) => {
      const bytes = readFileSync(join(folder, name));
      const type = types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
      return { name, type, bytes, zipped: gzipSync(bytes), tag: `"${sha256(bytes.toString('latin1'))}"` };
    });
  } catch (cause) {
    throw new Error('The files of the explorer are missing: run `npm run build`.', { cause });
  }
}

/** Sends the files to anybody: nothing in them is anyone's. */
export function explorerFiles(scope: FastifyInstance, files: ExplorerFiles): void {
  for (const { name, type, bytes, zipped, tag } of files) {
    scope.get(`${filesPath}/${name}`, (request, reply) => {
      const { 'accept-encoding': encodings = '', 'if-none-match': known } = request.headers;
      void reply.headers({
        'cache-control': 'no-cache',
        etag: tag,
        vary: 'accept-encoding',
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      });
      if (known === tag) return reply.code(304).send();
      void reply.type(type);
      return /\bgzip\b/.test(encodings)
        ? reply.header('content-encoding', 'gzip').send(zipped)
        : reply.send(bytes);
    });
  }
}
