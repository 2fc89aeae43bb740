import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Files in a folder of their own, by path. */
export class Files {
  constructor(
    files: Readonly<Record<string, string>> = {},
    readonly folder = mkdtempSync(join(tmpdir(), 'behalf-files-')),
  ) {
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  edit(path: string, change: (text: string) => string): void {
    this.write(path, change(readFileSync(this.path(path), 'utf8')));
  }

  remove(path = ''): void {
    rmSync(this.path(path), { recursive: true, force: true });
  }
}
