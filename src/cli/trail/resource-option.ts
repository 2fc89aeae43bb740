import { InvalidArgumentError, type Command } from 'commander';

export interface Resource {
  readonly type: string;
  readonly id: string;
}

/** Parses an option that names a row, such as `Invoice:01J…`. */
function resourceOf(text: string): Resource {
  const [, type = '', id] = /^([A-Za-z]{1,60}):(.{1,64})$/.exec(text) ?? [];
  if (id === undefined) throw new InvalidArgumentError('Write it as TYPE:ID, such as Invoice:01J….');
  return { type, id };
}

export const resourceOption = ['--resource <type:id>', 'what touched this row', resourceOf] as const;

/** Ends the command as an invalid argument does. A parser cannot, because it would load the domains of every command. */
export async function requireRowType(command: Command): Promise<void> {
  const { resource } = command.opts<{ readonly resource?: Resource }>();
  if (resource === undefined) return;
  const { rowTypes } = await import('./row-types.js');
  const { type, id } = resource;
  const types = rowTypes();
  if (types.includes(type)) return;
  command.error(
    `error: option '${resourceOption[0]}' argument '${type}:${id}' is invalid. ` +
      `There are no rows of the type ${type}. There are: ${types.join(', ')}.`,
    { code: 'commander.invalidArgument' },
  );
}
