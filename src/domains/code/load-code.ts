import { existsSync, readdirSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Fault } from '../../core/fault.js';
import type { CodeFile } from './code-file.js';
import { domainMark } from './domain-mark.js';
import type { Domain } from './domain.js';

export interface LoadedCode {
  readonly files: readonly CodeFile[];
  /** Each at its file. */
  readonly faults: readonly Fault[];
}

/** `behalf/domain` is this program's own wherever the company folder is: what it makes has to be known here. */
function provideDomain(): void {
  const url = new URL('./domain.js', import.meta.url);
  // Where the sources run without a build there is no such file.
  if (!existsSync(fileURLToPath(url))) return;
  const hook = `export const resolve = (name, context, next) =>
    name === 'behalf/domain' ? { url: ${JSON.stringify(url.href)}, shortCircuit: true } : next(name, context);`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
provideDomain();

/** Imports every file of a folder `code`. */
export async function loadCode(folder: string): Promise<LoadedCode> {
  const [files, faults]: [CodeFile[], Fault[]] = [[], []];
  const names = readdirSync(folder)
    .filter((name) => /^[^.].*\.m?js$/.test(name))
    .sort();
  for (const file of names) {
    const name = `code/${file}`;
    try {
      const { default: domain } = (await import(pathToFileURL(join(folder, file)).href)) as {
        default?: unknown;
      };
      const fault = shapeFault(domain);
      if (fault === undefined) files.push({ name, resolvers: (domain as Domain).resolvers });
      else faults.push({ place: { file: name }, message: fault });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      faults.push({ place: { file: name }, message: `It cannot be imported: ${reason}` });
    }
  }
  return { files, faults };
}

function shapeFault(domain: unknown): string | undefined {
  if (!isObject(domain) || !(domainMark in domain))
    return 'Its default export is made by defineDomain: `export default defineDomain({ resolvers: { … } })`.';
  const { resolvers } = domain as { resolvers?: unknown };
  if (!isObject(resolvers)) return 'Its domain has no `resolvers`.';
  for (const [type, fields] of Object.entries(resolvers)) {
    if (!isObject(fields)) return `Its resolvers of ${type} are no object of functions by field.`;
    const wrong = Object.entries(fields).find(([, resolver]) => typeof resolver !== 'function');
    if (wrong !== undefined) return `Its resolver of ${type}.${wrong[0]} is no function.`;
  }
  return undefined;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
