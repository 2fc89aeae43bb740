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
import type { Fault, Place } from '../core/fault.js';
import type { CodeFault } from '../domains/code/code-faults.js';
import { tabledIn, type ReadSdl } from '../domains/declared/expand.js';
import { foreignFaults } from '../domains/declared/foreign-faults.js';
import { writingFaults } from '../domains/declared/writing-faults.js';
import { tableFaults } from '../domains/declared/table-faults.js';
import { Places } from '../domains/declared/places.js';
import type { SdlFaults } from '../domains/declared/sdl-files.js';
import { withResolvers } from '../graphql/schema/executable-schema.js';
import { policyFaultText, type PolicyFault } from '../graphql/schema/policy-fault.js';
import { checkSchemaPolicy, type SchemaPolicy } from '../graphql/schema/schema-policy.js';
import { untellableRefusals } from '../graphql/schema/tellable-refusals.js';
import type { Dialect } from '../store/tables/dialect.js';
import type { TableDescription } from '../store/sql/describe-tables.js';
import type { AnyTable } from '../store/tables/table.js';

interface CompanyParts {
  readonly read: ReadSdl;
  /** The tables of what ships, and those of the company. */
  readonly tables: readonly AnyTable[];
  readonly foreign: readonly AnyTable[];
  readonly descriptions: readonly TableDescription[];
  /** What is wrong with the company's code. */
  readonly code: readonly CodeFault[];
  readonly dialect: Dialect;
}

/**
 * Everything that is wrong with a company's types, and between them and their tables, in the order of files and lines.
 * What cannot be understood is left out of later checks, so that no fault follows from another one.
 */
export function companyFaults({ read, tables, foreign, descriptions, code, dialect }: CompanyParts): Fault[] {
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
    faults.tell(fault);
  for (const { type } of policy?.rows ?? []) {
    const place = places.of(type);
    const hasTable = tables.some((table) => table.type === type) || tabledIn(documents).has(type);
    if (!hasTable && place !== undefined)
      faults.at(place, `${type} has @rows and no @table: say which table its rows are in.`);
  }
  const told = code.filter((fault) => !followsFrom(faults, fault));
  for (const fault of told) faults.tell(fault);
  return faults.all;
}

/** Whether a field without code is faulty itself, or code is for a field that a faulty file may declare. */
function followsFrom(faults: SdlFaults, fault: CodeFault): boolean {
  switch (fault.kind) {
    case 'no resolver':
      return faults.isToldAt(fault.place);
    case 'no field':
      return faults.mayDefine(fault.field);
    case 'code':
      return false;
  }
}

/** Undefined where the SDL cannot be understood before its faults are mended. */
function checkedPolicy(read: ReadSdl, places: Places): SchemaPolicy | undefined {
  const schema = checkedSchema(read, places);
  if (schema === undefined) return undefined;
  const { policy, faults } = checkSchemaPolicy(schema);
  const undefinedScopes = new Set<string>();
  // Wrong names come before missing decisions.
  for (const fault of [
    ...faults.filter(({ kind }) => kind !== 'undecided'),
    ...faults.filter(({ kind }) => kind === 'undecided'),
  ]) {
    const place = places.of(fault.coordinate);
    // What is made has the faults of what it is made of.
    if (place === undefined || isExplained(fault, place, read.faults, undefinedScopes)) continue;
    if (fault.kind === 'undefined scope') undefinedScopes.add(fault.scope);
    read.faults.at(place, `${policyFaultText(fault)}${adviceOn(fault, policy)}.`);
  }
  for (const fault of untellableRefusals(schema, policy)) {
    const place = places.of(fault.coordinate);
    if (place !== undefined && areScopesKnown(fault.coordinate, read, policy))
      read.faults.at(place, `${policyFaultText(fault)}.`);
  }
  return policy;
}

/**
 * Whether a fault follows from others.
 * @param undefinedScopes the scopes that were reported before: each is reported once
 */
function isExplained(
  fault: PolicyFault,
  place: Place,
  faults: SdlFaults,
  undefinedScopes: ReadonlySet<string>,
): boolean {
  switch (fault.kind) {
    case 'no scope':
      return faults.isToldAt(place);
    case 'undefined scope':
      return undefinedScopes.has(fault.scope) || faults.mayDefine(fault.scope);
    case 'unknown dimension':
      return faults.mayDefine(fault.dimension);
    case 'undecided':
    case 'not nullable':
    case 'other':
      return false;
  }
}

/** What follows a fault, so that people know what to do. */
function adviceOn({ kind }: PolicyFault, { dimensions }: SchemaPolicy): string {
  if (kind === 'undefined scope')
    return ': define it by @defineScope in `extend schema`, or correct the name';
  return kind === 'unknown dimension' ? `; there are ${[...dimensions.keys()].join(', ')}` : '';
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
