import { Command } from 'commander';
import { errorOutput } from './output.js';

/** The options of every command. */
export interface JsonOption {
  readonly json?: boolean;
}

/** A command with its examples; `path` is its name after `behalf`. */
export const command = (path: string, description: string, ...examples: readonly string[]): Command =>
  new Command(path.split(' ').at(-1))
    .configureOutput(errorOutput)
    .description(description)
    .option('--json', 'answer with JSON')
    .addHelpText('after', `\n${exampleText(path, examples)}`)
    .showHelpAfterError(`Run \`behalf ${path} --help\` for how to use it.`);

/** A command that only holds other commands. Without the name of one, `byDefault` runs where there is such. */
export const group = (
  name: string,
  description: string,
  ...commands: readonly (Command | { readonly byDefault: Command })[]
): Command => {
  const held = new Command(name).configureOutput(errorOutput).description(description);
  for (const each of commands)
    if ('byDefault' in each) held.addCommand(each.byDefault, { isDefault: true });
    else held.addCommand(each);
  return held
    .addHelpText('after', `\nExample:\n  $ behalf ${name} ${held.commands[0]?.name() ?? ''} --help`)
    .showHelpAfterError(`Run \`behalf ${name} --help\` for its commands.`);
};

function exampleText(path: string, examples: readonly string[]): string {
  const lines = (examples.length === 0 ? [''] : examples).map((rest) =>
    `  $ behalf ${path} ${rest}`.trimEnd(),
  );
  return [lines.length > 1 ? 'Examples:' : 'Example:', ...lines].join('\n');
}
