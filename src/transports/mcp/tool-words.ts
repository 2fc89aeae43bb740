import {
  Kind,
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type ObjectFieldNode,
  type ValueNode,
} from 'graphql';
import { AnswerShape } from './answer-shape.js';
import type { ResponseError } from './graphql-response.js';

/** How a tool takes the variables of its document: as its own arguments, or in one argument `variables`. */
export type TakesVariables = 'as arguments' | 'in variables';

/** The document of a call. */
export interface ToolDocument {
  /** Undefined where none ran. */
  readonly document?: DocumentNode | undefined;
  readonly takes: TakesVariables;
}

interface Words {
  readonly message: string;
  /** The advice; undefined where the message says it, or where that of GraphQL is right for the tool. */
  readonly next?: string;
}

/**
 * An error about input in the words of the tool: an argument of a field whose value is a variable is told as the argument
 * of the tool from which that variable comes.
 */
export function inToolWords(
  { message, path, extensions }: ResponseError,
  { document, takes }: ToolDocument,
): Words {
  if (extensions?.code !== 'BAD_USER_INPUT') return { message };
  if (path === undefined || document === undefined)
    return takes === 'as arguments' ? ownArgument(message) : { message };
  const given = argumentsAt(document, path);
  const named = (input: string): string | undefined => {
    const variable = variableAt(given, input.split('.'));
    return takes === 'in variables' && variable !== undefined ? `variables.${variable}` : variable;
  };
  const reworded = message.replace(/`([\w.]+)`/g, (quoted, input: string) => {
    const name = named(input);
    return name === undefined ? quoted : `\`${name}\``;
  });
  const at = extensions.path === undefined ? undefined : named(extensions.path);
  return {
    message: at === undefined || reworded.includes(`\`${at}\``) ? reworded : `\`${at}\`: ${reworded}`,
  };
}

/** GraphQL's own words about a variable that is an argument of the tool. */
function ownArgument(message: string): Words {
  const [about, variable = ''] = /^Variable "\$(\w+)"/.exec(message) ?? [];
  if (about !== undefined) {
    const next = `Send \`${variable}\` as the input schema of this tool says.`;
    return { message: `\`${variable}\`${message.slice(about.length)}`, next };
  }
  const [, unknown] = /^Unknown argument "(\w+)"/.exec(message) ?? [];
  return { message: unknown === undefined ? message : `\`${unknown}\` cannot be used here: leave it out.` };
}

/** The arguments of the field at a path of the answer. */
function argumentsAt(
  document: DocumentNode,
  path: readonly (string | number)[],
): readonly (ArgumentNode | ObjectFieldNode)[] {
  const keys = path.filter((step) => typeof step === 'string');
  const above = keys
    .slice(0, -1)
    .reduce<AnswerShape | undefined>((shape, key) => shape?.under(key), AnswerShape.of(document));
  const fields: readonly FieldNode[] = above?.nodesOf(keys.at(-1) ?? '') ?? [];
  return fields.flatMap((field) => field.arguments ?? []);
}

/** The variable that gives the value of an input, with the members of the variable's own value that lead to it. */
function variableAt(
  members: readonly (ArgumentNode | ObjectFieldNode)[],
  [name, ...rest]: readonly string[],
): string | undefined {
  const value: ValueNode | undefined = members.find((member) => member.name.value === name)?.value;
  if (value?.kind === Kind.VARIABLE) return [value.name.value, ...rest].join('.');
  return value?.kind === Kind.OBJECT ? variableAt(value.fields, rest) : undefined;
}
