import {
  buildASTSchema,
  isTypeDefinitionNode,
  isTypeExtensionNode,
  Kind,
  KnownTypeNamesRule,
  parse,
  PossibleTypeExtensionsRule,
  UniqueArgumentDefinitionNamesRule,
  validateSchema,
  type ASTNode,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { validateSDL } from 'graphql/validation/validate.js';
import { tabledIn, type ReadSdl } from '../domains/declared/expand.js';
import { foreignFaults } from '../domains/declared/foreign-tables.js';
import { writingFaults } from '../domains/declared/writing-faults.js';
import { tableFaults } from '../domains/declared/resolvers.js';
import { Places } from '../domains/declared/places.js';
import type { SdlFaults } from '../domains/declared/sdl-files.js';
import { withResolvers } from '../graphql/schema/executable-schema.js';
import { checkSchemaPolicy, type SchemaPolicy } from '../graphql/schema/schema-policy.js';
import { untellableRefusals } from '../graphql/schema/tellable-refusals.js';
import type { Dialect } from '../store/tables/dialect.js';
import type { TableDescription } from '../store/sql/describe-tables.js';
import type { AnyTable } from '../store/tables/table.js';

export interface CompanyParts {
  readonly read: ReadSdl;
  /** The tables of what ships, and those of the company. */
  readonly tables: readonly AnyTable[];
  readonly foreign: readonly AnyTable[];
  readonly descriptions: readonly TableDescription[];
  /** What is wrong with the company's code. */
  readonly code: readonly string[];
  readonly dialect: Dialect;
}

/**
 * Everything that is wrong with a company's types, and between them and their tables, in the order of files and lines.
 * What cannot be understood is left out of later checks, so that no fault follows from another one.
 */
export function companyFaults({
  read,
  tables,
  foreign,
  descriptions,
  code,
  dialect,
}: CompanyParts): string[] {
  const { faults, types, documents } = read;
  const places = new Places(documents, types);
  const policy = checkedPolicy(read, places);
  const enums = documents
    .flatMap(({ definitions }) => definitions)
    .flatMap((node) => (node.kind === Kind.ENUM_TYPE_DEFINITION ? [node.name.value] : []));
  for (const fault of [
    ...tableFaults({ types, tables, foreign, enums: new Set(enums) }),
    ...foreignFaults(types, descriptions, foreign, policy?.rows ?? [], dialect),
    ...writingFaults(types, descriptions, foreign),
  ])
    faults.placed(fault);
  for (const { type } of policy?.rows ?? []) {
    const place = places.of(type);
    const hasTable = tables.some((table) => table.type === type) || tabledIn(documents).has(type);
    if (!hasTable && place !== undefined)
      faults.at(place, `${type} has @rows and no @table: say which table its rows are in.`);
  }
  const told = code.filter((fault) => !followsFrom(faults, fault));
  for (const fault of told) faults.placed(fault);
  return faults.all;
}

/** Whether a field without code is faulty itself, or code is for a field that a faulty file may declare. */
function followsFrom(faults: SdlFaults, fault: string): boolean {
  const [, place = '', coordinate = ''] = /^(.*?:\d+): (\S+) has no resolver/.exec(fault) ?? [];
  const [, undeclared = ''] = /There is a resolver for \w+\.(\w+), which no file/.exec(fault) ?? [];
  return (coordinate !== '' && faults.isToldAt(place)) || faults.mayDefine(undeclared);
}

/** Undefined where the SDL cannot be understood before its faults are mended. */
function checkedPolicy(read: ReadSdl, places: Places): SchemaPolicy | undefined {
  const schema = checkedSchema(read, places);
  if (schema === undefined) return undefined;
  const { policy, faults: each } = checkSchemaPolicy(schema);
  const found = undecidedTogether(each, [...policy.dimensions.keys()]);
  const { dimensions } = policy;
  const told = new Set<string>();
  for (const fault of found) {
    const [, at = '', unknown = ''] =
      /^(dimension \S+|\S+)(?:.* (?:scope|dimension): (\S+)$)?/.exec(fault) ?? [];
    const place = places.of(at);
    // What is made has the faults of what it is made of.
    if (place === undefined || told.has(unknown) || read.faults.mayDefine(unknown)) continue;
    if (fault.endsWith('has no @scope') && read.faults.isToldAt(place)) continue;
    if (unknown !== '' && fault.includes('undefined scope')) told.add(unknown);
    read.faults.at(place, `${fault}${adviceOn(fault, [...dimensions.keys()])}.`);
  }
  for (const fault of untellableRefusals(schema, policy)) {
    const [at = ''] = fault.split(' ');
    const place = places.of(at);
    if (place !== undefined && areScopesKnown(at, read, policy)) read.faults.at(place, `${fault}.`);
  }
  return policy;
}

/** The dimensions of a type that are undecided are one fault. */
function undecidedTogether(faults: readonly string[], dimensions: readonly string[]): string[] {
  const undecided = new Map<string, string[]>();
  const others = faults.filter((fault) => {
    const [, head = '', dimension] = /^(.* must either bound or name as unbounded): (.*)$/.exec(fault) ?? [];
    if (dimension !== undefined) undecided.set(head, [...(undecided.get(head) ?? []), dimension]);
    return dimension === undefined;
  });
  const inOrder = (names: readonly string[]): string =>
    dimensions.filter((name) => names.includes(name)).join(', ');
  return [...others, ...[...undecided].map(([head, names]) => `${head}: ${inOrder(names)}`)];
}

/** What follows a fault, so that people know what to do. */
function adviceOn(fault: string, dimensions: readonly string[]): string {
  if (fault.includes('names an undefined scope'))
    return ': define it by @defineScope in `extend schema`, or correct the name';
  if (fault.includes('names an unknown dimension')) return `; there are ${dimensions.join(', ')}`;
  return '';
}

/** Whether the scopes of a field and of its row are there, without which every field would have to be nullable. */
function areScopesKnown(coordinate: string, { types }: ReadSdl, policy: SchemaPolicy): boolean {
  const [name = ''] = coordinate.split('.');
  const row = policy.rows.find(({ type }) => type === name);
  if (row === undefined && types.some((type) => type.name === name)) return false;
  const scopes = [policy.scopes.get(coordinate) ?? '', ...(row === undefined ? [] : [row.scope])];
  return scopes.every((scope) => policy.definitions.has(scope));
}

const rules = [KnownTypeNamesRule, PossibleTypeExtensionsRule, UniqueArgumentDefinitionNamesRule];

/** Tells what GraphQL's own rules say of the SDL, where nothing was told yet. */
function checkedSchema({ sdl, faults }: ReadSdl, places: Places): GraphQLSchema | undefined {
  const areAny = faults.all.length > 0;
  try {
    const document = parse(sdl);
    const schema = withResolvers(buildASTSchema(document, { assumeValidSDL: true }), []);
    for (const { nodes = [], message } of [
      ...validateSDL(document, undefined, rules),
      ...validateSchema(schema),
    ]) {
      const [node] = nodes;
      const place = node === undefined ? undefined : places.of(coordinateOf(document, node));
      if (place !== undefined && !faults.isToldAt(place)) faults.at(place, message);
    }
    return schema;
  } catch (error) {
    if (areAny) return undefined;
    throw error;
  }
}

/** The type or the field of it in which a node stands. */
function coordinateOf({ definitions }: DocumentNode, node: ASTNode): string {
  const holds = ({ loc }: ASTNode): boolean =>
    loc !== undefined && node.loc !== undefined && loc.start <= node.loc.start && node.loc.end <= loc.end;
  const type = definitions.find(holds);
  if (type === undefined || !(isTypeDefinitionNode(type) || isTypeExtensionNode(type))) return '';
  const members = [
    ...('fields' in type ? (type.fields ?? []) : []),
    ...('values' in type ? (type.values ?? []) : []),
  ];
  const member = members.find(holds);
  return member === undefined ? type.name.value : `${type.name.value}.${member.name.value}`;
}
