import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import { badInput } from '../../core/errors.js';
import { documentMarks, marksIn, type ScopeStateOf } from '../view/annotate.js';
import type { ReachableDocument } from './document-tools.js';

/** A page of compact SDL. */
export interface SchemaHits {
  /** Compact SDL: the entries that fit the words, the best first, then the types that they use. */
  readonly sdl: string;
  /** How many entries fit in all. */
  readonly total: number;
  /** Where the next page begins; null where there is none. */
  readonly next: number | null;
}

/** A root field, a type or a registered document. */
export interface SearchEntry {
  readonly name: string;
  readonly isRoot: boolean;
  /** The words of its name, of its description, and of its definition. */
  readonly names: readonly string[];
  readonly texts: readonly string[];
  readonly parts: readonly string[];
  readonly sdl: string;
  /** The types of its value and of its arguments. */
  readonly uses: readonly string[];
}

/** Entries that fit the words, of one answer. */
const pageSize = 5;
/** Characters of one answer, about a thousand tokens. */
const sdlMax = 4_000;
/** Characters of the words of a question. */
const wordsMax = 300;

/** Finds parts of one view of the schema by words. Everything in the answers comes from that view. */
export class SchemaSearch {
  private readonly entries: readonly SearchEntry[];
  private readonly types = new Map<string, string>();

  constructor(schema: GraphQLSchema) {
    const roots = [schema.getQueryType(), schema.getMutationType()].flatMap((root) => root ?? []);
    const fields = roots.flatMap((root) =>
      Object.values(root.getFields()).map((field) => rootEntry(root.name, field)),
    );
    const rest = Object.values(schema.getTypeMap())
      .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
      .filter((type) => !roots.some((root) => root === type));
    for (const type of rest) this.types.set(type.name, typeSdl(type));
    this.entries = [...fields, ...rest.map((type) => typeEntry(type, this.types.get(type.name) ?? ''))];
  }

  /**
   * The entries whose names or descriptions have the words; every root field, a line each, where there are none.
   * @param from a number of entries to leave out, as `next` gave it
   * @param documents registered documents
   */
  find(words: string, from: number, documents: readonly SearchEntry[]): SchemaHits {
    return hitsOf([...documents, ...this.entries], this.types, words, from);
  }
}

/** As `SchemaSearch.find`, in registered documents alone. */
export const findDocuments = (words: string, from: number, documents: readonly SearchEntry[]): SchemaHits =>
  hitsOf(documents, new Map(), words, from);

/** A registered document, for a search; marked where the task lacks scopes that it needs. */
export function documentEntry(
  { tool, isUsable, scopes }: ReachableDocument,
  stateOf: ScopeStateOf,
): SearchEntry {
  const { name, kind, inputSchema } = tool;
  const description = [tool.description, ...documentMarks(scopes, stateOf, isUsable)].join('\n');
  const variables = Object.keys(inputSchema.properties).map((variable) => `$${variable}`);
  const sdl = `${comment(description)}registered ${kind} ${name}(${variables.join(', ')})`;
  return {
    ...{ name, sdl, isRoot: true, uses: [] },
    names: tokensOf(name),
    texts: tokensOf(description),
    parts: tokensOf(sdl),
  };
}

function hitsOf(
  entries: readonly SearchEntry[],
  types: ReadonlyMap<string, string>,
  words: string,
  from: number,
): SchemaHits {
  if (words.length > wordsMax)
    throw badInput(`\`words\` has more than ${String(wordsMax)} characters: send fewer.`, 'words');
  if (!Number.isSafeInteger(from) || from < 0) throw badInput('`from` is a number that `next` gave.', 'from');
  const tokens = [...new Set(tokensOf(words))];
  const isOverview = tokens.length === 0;
  const all = isOverview ? entries.filter(({ isRoot }) => isRoot) : ranked(entries, tokens);
  const page = isOverview ? fitting(all.slice(from)) : all.slice(from, from + pageSize);
  const used = isOverview ? [] : usedBy(page, types);
  const next = from + page.length;
  return {
    sdl: bounded([...page.map(({ sdl }) => sdl), ...used]),
    total: all.length,
    next: next < all.length && page.length > 0 ? next : null,
  };
}

const ranked = (entries: readonly SearchEntry[], tokens: readonly string[]): readonly SearchEntry[] =>
  entries
    .map((entry) => ({ entry, score: scoreOf(entry, tokens) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.entry.name < b.entry.name ? -1 : 1))
    .map(({ entry }) => entry);

/** The types that the entries use, once each. */
function usedBy(page: readonly SearchEntry[], types: ReadonlyMap<string, string>): readonly string[] {
  const shown = new Set(page.map(({ name }) => name));
  const used = [...new Set(page.flatMap(({ uses }) => uses))].filter((name) => !shown.has(name));
  return used.flatMap((name) => types.get(name) ?? []);
}

function rootEntry(root: string, field: GraphQLField<unknown, unknown>): SearchEntry {
  const name = `${root}.${field.name}`;
  const value = getNamedType(field.type);
  const sdl = `${comment(field.description)}${name}${argsSdl(field.args)}: ${String(field.type)}`;
  return {
    ...{ name, sdl, isRoot: true },
    names: tokensOf(field.name),
    texts: tokensOf(field.description ?? ''),
    parts: tokensOf(`${sdl} ${root}`),
    uses: [...nodesOf(value), ...field.args.map(({ type }) => getNamedType(type).name)],
  };
}

/** The type of a value, and of the rows in it where it is a page or a payload. */
function nodesOf(type: GraphQLNamedType): readonly string[] {
  if (!isObjectType(type)) return [type.name];
  const { nodes, ...fields } = type.getFields();
  if (nodes !== undefined) return [type.name, getNamedType(nodes.type).name];
  if (!type.name.endsWith('Payload')) return [type.name];
  return [type.name, ...Object.values(fields).map((field) => getNamedType(field.type).name)];
}

const typeEntry = (type: GraphQLNamedType, sdl: string): SearchEntry => ({
  ...{ name: type.name, sdl, isRoot: false, uses: [] },
  names: tokensOf(type.name),
  texts: tokensOf(type.description ?? ''),
  parts: tokensOf(sdl),
});

function typeSdl(type: GraphQLNamedType): string {
  const head = comment(type.description);
  if (isEnumType(type)) {
    const values = type.getValues().map(({ name }) => name);
    return `${head}enum ${type.name} { ${values.join(' ')} }`;
  }
  if (isUnionType(type)) {
    const names = type.getTypes().map(({ name }) => name);
    return `${head}union ${type.name} = ${names.join(' | ')}`;
  }
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields());
    return `${head}input ${type.name} {\n${fields.map((field) => `  ${inputSdl(field)}`).join('\n')}\n}`;
  }
  if (!isObjectType(type) && !isInterfaceType(type)) return `${head}scalar ${type.name}`;
  const kind = isObjectType(type) ? 'type' : 'interface';
  return `${head}${kind} ${type.name} {\n${Object.values(type.getFields()).map(fieldSdl).join('\n')}\n}`;
}

const fieldSdl = ({ name, args, type, description }: GraphQLField<unknown, unknown>): string =>
  `  ${name}${argsSdl(args)}: ${String(type)}${remark(description)}`;

const argsSdl = (args: readonly GraphQLArgument[]): string =>
  args.length === 0 ? '' : `(${args.map(inputSdl).join(', ')})`;

const inputSdl = ({ name, type }: Pick<GraphQLArgument, 'name' | 'type'>): string =>
  `${name}: ${String(type)}`;

const comment = (description: string | null | undefined): string =>
  description ? `# ${description.replace(/\s+/g, ' ').trim()}\n` : '';

/** Of a field only what says that it cannot be used now: its name has to say the rest. */
const remark = (description: string | null | undefined): string => {
  const marks = marksIn(description ?? '');
  return marks.length === 0 ? '' : ` # ${marks.join(' ')}`;
};

/** Words of questions that say nothing about what is looked for. */
const common = new Set(
  'a an and are by for from get how in is it list of on or the to with what which all one'.split(' '),
);

const tokensOf = (text: string): string[] =>
  text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((token) => token.length > 1 && !common.has(token))
    .map((token) => (token.length > 3 ? token.replace(/(ies|es|s)$/, '') : token));

/** A word in a name counts for more than one in a description, and more where the name has few others. */
function scoreOf({ names, texts, parts, isRoot }: SearchEntry, tokens: readonly string[]): number {
  return tokens.reduce((score, token) => {
    const starts = (word: string): boolean => word.startsWith(token);
    if (names.some(starts)) return score + (isRoot ? 6 : 4) + 2 / names.length;
    if (texts.some(starts)) return score + (isRoot ? 3 : 2);
    return score + (parts.some(starts) ? 1 : 0);
  }, 0);
}

/** As many entries as one answer holds, at least one. */
function fitting(entries: readonly SearchEntry[]): readonly SearchEntry[] {
  let length = 0;
  const fit = entries.findIndex(({ sdl }) => (length += sdl.length + 1) > sdlMax);
  return fit === -1 ? entries : entries.slice(0, Math.max(1, fit));
}

/** Whole definitions up to a size. What is left out can be searched for by its name. */
function bounded(parts: readonly string[]): string {
  const kept: string[] = [];
  let length = 0;
  for (const part of parts) {
    length += part.length + 1;
    if (kept.length > 0 && length > sdlMax) {
      kept.push('# More types are used here: search for them by name.');
      break;
    }
    kept.push(part);
  }
  return kept.join('\n');
}
