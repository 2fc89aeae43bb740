import { CommandError } from '../core/command-error.js';
import { printDefinitions } from '../graphql/schema/print-schema.js';
import { servedSdl } from './operator/served-sdl.js';
import type { JsonOption } from './terminal/command.js';
import { answer } from './terminal/output.js';

/** `behalf schema print` */
export function printSchema(names: readonly string[], { json }: JsonOption): void {
  const definitions = printDefinitions(servedSdl());
  const missing = names.find((name) => !definitions.some((one) => one.name === name));
  if (missing !== undefined)
    throw new CommandError(`There is no type ${missing}. \`behalf schema print\` shows all.`);
  const shown = definitions.filter(({ name }) => names.length === 0 || names.includes(name ?? ''));
  const sdl = shown.map(({ text }) => text).join('\n\n');
  answer(json, { sdl }, () => [sdl]);
}
