import type { Scope } from '../../authority/scope.js';
import {
  inputName,
  writtenBy,
  type TypeDeclaration,
  type WritableField,
  type WriteDeclaration,
  type Writing,
} from './declaration.js';
import { upperFirst } from '../../core/words.js';

const quoted = (text: string): string => JSON.stringify(text);
const scope = (name: Scope): string => `@scope(name: ${quoted(name)})`;

/** The names of the types that are made of a type's mutations. */
export const mutationTypeNames = (type: TypeDeclaration): string[] => [
  ...inputs(type).map(({ name }) => name),
  ...mutations(type).map(({ declared }) => payloadName(declared)),
];

/** The names of a type's mutations. */
export const mutationNames = (type: TypeDeclaration): string[] =>
  mutations(type).map(({ declared }) => declared.mutation);

/** The mutations of a type with their inputs and payloads. */
export function madeMutations(type: TypeDeclaration): string[] {
  const fields = mutations(type).map(({ field }) => field);
  if (fields.length === 0) return [];
  return [
    `extend type Mutation {\n${fields.join('\n')}\n}`,
    ...inputs(type).map(({ sdl }) => sdl),
    ...mutations(type).map(({ payload }) => payload),
  ];
}

interface Made {
  readonly declared: WriteDeclaration;
  readonly field: string;
  readonly payload: string;
}

const payloadName = ({ mutation }: WriteDeclaration): string => `${upperFirst(mutation)}Payload`;

/** The field of a payload that holds the row. */
export const rowField = ({ name }: TypeDeclaration): string => name.charAt(0).toLowerCase() + name.slice(1);

function mutations(type: TypeDeclaration): Made[] {
  const { one, writes } = type;
  const made: Made[] = [];
  const add = (
    declared: WriteDeclaration | undefined,
    text: string,
    args: string[],
    payload: string,
  ): void => {
    if (declared === undefined) return;
    const lines = [
      ...args,
      `    "The same key with the same input gives the first answer again."\n    idempotencyKey: String! @plain\n`,
    ];
    made.push({
      declared,
      field:
        `  ${quoted(text)}\n  ${declared.mutation}(\n${lines.join('')}  ): ${payloadName(declared)}! ` +
        scope(declared.scope),
      payload: `${quoted(`What came of \`${declared.mutation}\`.`)}\ntype ${payloadName(declared)} {\n${payload}}`,
    });
  };
  const row = `  ${quoted(`The ${one}.`)}\n  ${rowField(type)}: ${type.name} ${scope(type.scope)}\n`;
  const which = [
    `    ${quoted(`The ${one}'s id.`)}\n    id: ID! @plain\n`,
    '    "The version that the decision was made on; `CONFLICT` where there is another by now."\n    expectedVersion: String! @plain\n',
  ];
  const values = (name: string, input: string, text: string): string =>
    `    ${quoted(text)}\n    ${name}: ${input}!\n`;
  add(
    writes.create,
    `Adds ${anyOne(one)}.`,
    [values('values', valuesName(type), `What the new ${one} has.`)],
    row,
  );
  add(
    writes.update,
    `Changes ${anyOne(one)}. What is left out stays as it is.`,
    [...which, values('changes', changesName(type), `What the ${one} has from now on.`)],
    row,
  );
  add(
    writes.delete,
    `Deletes ${anyOne(one)}.`,
    which,
    `  ${quoted(`The id that the ${one} had.`)}\n  deletedId: ID! ${scope(writes.delete?.scope ?? type.scope)}\n`,
  );
  return made;
}

/** The inputs of a type's mutations with the fields that they write. */
export const writtenInputs = (type: TypeDeclaration): [string, readonly WritableField[]][] => [
  [valuesName(type), writtenBy(type, 'CREATE')],
  [changesName(type), writtenBy(type, 'UPDATE')],
];

const valuesName = ({ name }: TypeDeclaration): string => `${name}Values`;
const changesName = ({ name }: TypeDeclaration): string => `${name}Changes`;

function inputs(type: TypeDeclaration): { readonly name: string; readonly sdl: string }[] {
  const { one, writes } = type;
  return [
    ...(writes.create === undefined
      ? []
      : [input(type, 'CREATE', valuesName(type), `What a new ${one} has.`)]),
    ...(writes.update === undefined
      ? []
      : [input(type, 'UPDATE', changesName(type), `What changes of ${anyOne(one)}.`)]),
  ];
}

function input(type: TypeDeclaration, writing: Writing, name: string, text: string) {
  const fields = writtenBy(type, writing).map((field) => inputField(type, field, writing));
  return { name, sdl: `${quoted(text)}\ninput ${name} {\n${fields.join('')}}` };
}

function inputField({ name }: TypeDeclaration, field: WritableField, writing: Writing): string {
  const { writing: how, source } = field;
  const isReference = source.kind === 'reference';
  const type = isReference ? 'ID' : field.type;
  const directives = [
    how.scope === undefined ? '@plain' : scope(how.scope),
    `@writes(fields: ${quoted(`${name}.${field.name}`)})`,
    ...(field.isPersonal ? ['@personal'] : []),
  ];
  const description = isReference ? `The id of the ${field.one}.` : `The ${field.one}.`;
  const required = writing === 'CREATE' && how.isRequired ? '!' : '';
  return `  ${quoted(description)}\n  ${inputName(field)}: ${type}${required} ${directives.join(' ')}\n`;
}

/** With an indefinite article. */
export const anyOne = (word: string): string => `${/^[aeiou]/i.test(word) ? 'an' : 'a'} ${word}`;
