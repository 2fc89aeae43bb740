import { assertValidSchema, buildASTSchema, isEnumType, parse, type GraphQLSchema } from 'graphql';
import { administration } from '../admin/index.js';
import type { Scope } from '../authority/scope.js';
import type { Config } from '../config.js';
import { dimensionFaults } from '../delegation/boundary-values.js';
import type { Catalog } from '../delegation/schema-catalog.js';
import type { DocumentRules } from '../delegation/trusted-documents.js';
import type { Domain } from '../delegation/resolver-context.js';
import type { TypeDeclaration } from '../domains/declared/declaration.js';
import type { CompanyTables } from '../domains/declared/table-watch.js';
import { declared } from '../domains/declared/resolvers.js';
import { allTables } from '../domains/all-tables.js';
import { domains } from '../domains/index.js';
import { Annotations } from '../graphql/view/annotate.js';
import { ColumnSelections } from '../graphql/schema/column-selections.js';
import { policyFaultText } from '../graphql/schema/policy-fault.js';
import { readSchemaPolicy, type SchemaPolicy } from '../graphql/schema/schema-policy.js';
import { DocumentReach, documentRules } from '../graphql/document/document-check.js';
import { RuleMap } from '../graphql/rules/rule-map.js';
import { untellableRefusals } from '../graphql/schema/tellable-refusals.js';
import { withResolvers } from '../graphql/schema/executable-schema.js';
import { schemas } from '../graphql/view/schema-resolvers.js';
import { readSchemaFiles } from '../graphql/schema/sdl.js';
import { shielded } from '../graphql/rules/shield.js';
import { viewerResolvers } from '../graphql/schema/viewer.js';
import { Views } from '../graphql/view/views.js';
import { RowTypes } from '../store/bounded/row-types.js';
import type { AnyTable } from '../store/tables/table.js';

/** The parts of the schema that tests replace. */
export interface SchemaSource {
  readonly sdl?: string | undefined;
  /** The types that the SDL was made from. Default: none where `domains` are given, else those that ship. */
  readonly types?: readonly TypeDeclaration[];
  readonly domains?: readonly Domain[] | undefined;
  /** Tables of others that the types declare. */
  readonly foreign?: readonly AnyTable[];
  /** What a company's own code gives. */
  readonly own?: Domain;
}

/** The settings on which a schema depends. */
export type SchemaConfig = Pick<Config, 'BEHALF_SMALLEST_CELL' | 'domains'>;

/** The schema as the server runs it, and what it says about authority. */
export interface ComposedSchema {
  readonly policy: SchemaPolicy;
  readonly catalog: Catalog;
  readonly rowTypes: RowTypes;
  readonly reach: DocumentReach;
  readonly rules: DocumentRules;
  readonly ruleMap: RuleMap;
  readonly columnSelections: ColumnSelections;
  /** Without rules: for operations with every rule decided beforehand. */
  readonly plain: GraphQLSchema;
  /** The same schema with every field behind its rule. */
  readonly shielded: GraphQLSchema;
  readonly views: Views;
  readonly peopleOnly: ReadonlySet<Scope>;
  /** Views for showing the schema to others, by the schema's own fields. */
  readonly tellable: Annotations;
  /** Undefined where only tables of ours are served. */
  readonly company?: CompanyTables;
  /** The scope of a coordinate. Throws where it has none. */
  readonly scopeOf: (coordinate: string) => Scope;
}

/** Reads the SDL and puts the resolvers behind its rules. Throws for a schema with uncovered coordinates. */
export function composeSchema(config: SchemaConfig, source: SchemaSource): ComposedSchema {
  const shipped = readSchemaFiles(config.domains);
  const sdl = parse(source.sdl ?? shipped.sdl);
  const types = source.types ?? (source.domains === undefined ? shipped.types : []);
  // The resolvers need the SDL's declarations, and the schema needs the resolvers, so two schemas are built of the SDL.
  // The first build checks it.
  const bare = withResolvers(buildASTSchema(sdl), []);
  assertValidSchema(bare);
  const policy = readSchemaPolicy(bare);
  const reach = new DocumentReach(bare, policy.scopes);
  const rules = documentRules(reach);
  const settings = { smallestCell: config.BEHALF_SMALLEST_CELL, installed: config.domains };
  const tables = source.domains?.flatMap((domain) => domain.tables) ?? allTables(settings);
  const { foreign = [] } = source;
  const enums = Object.values(bare.getTypeMap()).filter(isEnumType);
  // First, because its faults say where they are.
  const made = declared({ types, tables, foreign, enums: new Set(enums.map(({ name }) => name)) });
  const rowTypes = new RowTypes(policy.rows, [...tables, ...foreign]);
  const { definitions, dimensions, scopes, changing } = policy;
  const catalog = { definitions, dimensions, scopes, changing, types: rowTypes };
  const unnamed = dimensionFaults(catalog);
  if (unnamed.length > 0) throw new Error(`Boundaries cannot be named:\n- ${unnamed.join('\n- ')}`);
  const tellable = new Annotations(new Views(bare, policy));
  const installed = [
    made,
    ...(source.domains ?? [administration(catalog, rules), schemas(catalog, tellable), ...domains(settings)]),
    ...(source.own === undefined ? [] : [source.own]),
  ];
  const columnSelections = new ColumnSelections(installed);
  const resolvers = [viewerResolvers, ...installed.map((domain) => domain.resolvers)];
  const plain = withResolvers(buildASTSchema(sdl, { assumeValidSDL: true }), resolvers, columnSelections);
  const faults = untellableRefusals(plain, policy);
  if (faults.length > 0)
    throw new Error(`The schema cannot tell every refusal:\n- ${faults.map(policyFaultText).join('\n- ')}`);
  const ruleMap = new RuleMap(policy);
  const behindRules = shielded(plain, ruleMap);
  const peopleOnly = [...definitions.values()].filter((scope) => scope.peopleOnly);
  return {
    policy,
    catalog,
    rowTypes,
    reach,
    rules,
    ruleMap,
    columnSelections,
    plain,
    shielded: behindRules,
    views: new Views(behindRules, policy),
    tellable,
    peopleOnly: new Set(peopleOnly.map((scope) => scope.name)),
    ...(foreign.length > 0 && { company: { types, tables: foreign } }),
    scopeOf: (coordinate) => {
      const scope = scopes.get(coordinate);
      if (scope === undefined) throw new Error(`${coordinate} has no scope.`);
      return scope;
    },
  };
}
