import type { DocumentsRefused } from '../admin/trusted-documents.js';
import type { DocumentRules } from '../delegation/trusted-documents.js';
import type { Progress } from '../core/progress.js';
import { InputRefused, type InputFaults } from '../operator/input-faults.js';
import { readText, type TextFile } from './read-files.js';

/** A file with one operation, under whose name it is to be registered. */
export interface OperationFile {
  readonly path: string;
  readonly name: string;
  readonly source: string;
}

/**
 * The operations of these files of a folder, each checked against the whole schema. Every fault of every file goes to
 * `faults`.
 * @param prefix of the paths in faults
 */
export async function readOperations(
  folder: string,
  paths: readonly string[],
  rules: DocumentRules,
  faults: InputFaults,
  { prefix = '', progress }: { readonly prefix?: string; readonly progress?: Progress } = {},
): Promise<OperationFile[]> {
  const byName = new Map<string, OperationFile>();
  for (const [index, path] of paths.entries()) {
    if (index % 20 === 0) progress?.(`checking ${String(index)} of ${String(paths.length)}`);
    const text = await readText(folder, path, prefix + path, faults);
    const file = text === undefined ? undefined : checked(text, rules, faults);
    if (file === undefined) continue;
    const twin = byName.get(file.name);
    if (twin !== undefined)
      faults.add({ file: file.path, reason: `${twin.path} has an operation of this name too.` });
    byName.set(file.name, file);
  }
  return [...byName.values()];
}

function checked(
  { path, text: source }: TextFile,
  rules: DocumentRules,
  faults: InputFaults,
): OperationFile | undefined {
  const outcome = rules.check(source);
  if ('faults' in outcome) {
    for (const { message, line, column } of outcome.faults) {
      const at = line === null ? {} : { line, column: `column ${String(column ?? 1)}` };
      faults.add({ file: path, ...at, reason: message });
    }
    return undefined;
  }
  const name = outcome.operationName;
  if (name !== undefined) return { path, name, source };
  faults.add({ file: path, reason: 'Give the operation a name: it becomes the name of the document.' });
  return undefined;
}

/** Faults between operations and what is registered, told by file. */
export const inFiles = (
  { faults }: DocumentsRefused,
  files: readonly OperationFile[],
  done: string,
): InputRefused =>
  new InputRefused(
    faults.map(({ name, message }) => ({
      file: files.find((file) => file.name === name)?.path ?? name,
      reason: message,
    })),
    done,
  );
