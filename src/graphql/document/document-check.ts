import {
  getNamedType,
  GraphQLError,
  isEnumType,
  isInputObjectType,
  isObjectType,
  Kind,
  OperationTypeNode,
  parse,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import type { Scope } from '../../authority/scope.js';
import { unseenIn } from '../../core/checked-text.js';
import { Lru } from '../../core/lru.js';
import type { CheckedDocument, DocumentFault, DocumentRules } from '../../delegation/trusted-documents.js';
import { SchemaIndex, type Reachable } from '../view/schema-index.js';
import { selectionsMax, selectionsWrittenOut } from './selection-counts.js';
import { documentFault, documentTokensMax, fragmentsOf } from './structure.js';
import { ceilingKey } from '../view/views.js';

const faultsMax = 20;
/** One `Reachable` takes about 40 kB. */
const reachesMax = 2_000;

/** Knows what documents name, and whether a ceiling reaches all of it. */
export class DocumentReach {
  private readonly index: SchemaIndex;
  readonly reaches = new Lru<string, Reachable>(reachesMax);
  private readonly byCeiling = new WeakMap<ReadonlySet<Scope>, Reachable>();

  constructor(
    readonly schema: GraphQLSchema,
    scopes: ReadonlyMap<string, Scope>,
  ) {
    this.index = new SchemaIndex(schema, scopes);
  }

  /** Whether a ceiling reaches every one of these coordinates and types. */
  holds(names: Iterable<string>, ceiling: ReadonlySet<Scope>): boolean {
    const { members, types } = this.of(ceiling);
    for (const name of names) if (!members.has(name) && !types.has(name)) return false;
    return true;
  }

  /**
   * The coordinates and types that a valid document names, if reaching all of them makes it valid in a part of the
   * schema too. Undefined where a selection is on an interface or union: its possible types depend on the part.
   */
  namesOfConcrete(document: DocumentNode): ReadonlySet<string> | undefined {
    return isConcrete(this.schema, document) ? namesIn(this.schema, document) : undefined;
  }

  private of(ceiling: ReadonlySet<Scope>): Reachable {
    const known = this.byCeiling.get(ceiling);
    if (known !== undefined) return known;
    const key = ceilingKey(ceiling);
    const reach = this.reaches.get(key) ?? this.index.reach((scope) => ceiling.has(scope));
    this.reaches.set(key, reach);
    this.byCeiling.set(ceiling, reach);
    return reach;
  }
}

/** Checks documents before they are registered, and says for which ceilings they exist. */
export const documentRules = (reach: DocumentReach): DocumentRules => ({
  check: (source) => checkDocument(reach.schema, source),
  isReachable: ({ names }, ceiling) => reach.holds(names, ceiling),
});

function isConcrete(schema: GraphQLSchema, document: DocumentNode): boolean {
  const info = new TypeInfo(schema);
  let found = true;
  visit(
    document,
    visitWithTypeInfo(info, {
      SelectionSet: () => {
        found &&= isObjectType(info.getParentType());
      },
    }),
  );
  return found;
}

/** Checks that a source is one operation with its fragments and valid against a schema. */
export function checkDocument(
  schema: GraphQLSchema,
  source: string,
): CheckedDocument | { readonly faults: readonly DocumentFault[] } {
  if (!source.isWellFormed()) return { faults: [faultOf('The source is not well-formed Unicode.')] };
  // A reader has to see what will run. A byte order mark at the beginning is ignored by GraphQL itself.
  const unseen = unseenIn(source.replace(/^\ufeff/, ''));
  if (unseen !== undefined)
    return { faults: [faultOf(`The source has the character ${unseen}, which nobody can see.`)] };
  const misshapen = documentFault(source);
  if (misshapen !== undefined) return { faults: [faultOf(misshapen.message)] };
  let document: DocumentNode;
  try {
    document = parse(source, { maxTokens: documentTokensMax });
  } catch (error) {
    if (error instanceof GraphQLError) return { faults: [asFault(error)] };
    throw error;
  }
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const [operation] = operations;
  if (operation === undefined || operations.length > 1) {
    return { faults: [faultOf('A document has exactly one operation, and its fragments.')] };
  }
  const { operation: kind } = operation;
  if (kind === OperationTypeNode.SUBSCRIPTION)
    return { faults: [faultOf('The operation is a query or a mutation.')] };
  if (selectionsWrittenOut(document, fragmentsOf(document)) > selectionsMax)
    return {
      faults: [
        faultOf('It has too many selections, its fragments written out: spread each of them fewer times.'),
      ],
    };
  const faults = validate(schema, document, undefined, { maxErrors: faultsMax });
  if (faults.length > 0) return { faults: faults.map(asFault) };
  return { kind, operationName: operation.name?.value, names: namesIn(schema, document) };
}

const faultOf = (message: string): DocumentFault => ({ message, line: null, column: null });

const asFault = ({ message, locations }: GraphQLError): DocumentFault => ({
  message,
  line: locations?.[0]?.line ?? null,
  column: locations?.[0]?.column ?? null,
});

/** Every coordinate and every type of the project's own schema that a valid document names. */
function namesIn(schema: GraphQLSchema, document: DocumentNode): ReadonlySet<string> {
  const names = new Set<string>();
  const info = new TypeInfo(schema);
  const addType = (type: GraphQLNamedType | null | undefined): void => {
    if (type !== null && type !== undefined && !isOfGraphQL(type.name)) names.add(type.name);
  };
  visit(
    document,
    visitWithTypeInfo(info, {
      OperationDefinition: ({ operation }) => {
        addType(schema.getRootType(operation));
      },
      Field({ name }) {
        const parent = info.getParentType()?.name ?? '';
        if (!isOfGraphQL(name.value) && !isOfGraphQL(parent)) names.add(`${parent}.${name.value}`);
      },
      Argument({ name }) {
        const parent = info.getParentType()?.name ?? '';
        const field = info.getFieldDef()?.name ?? '';
        if (hasDirective(info) || isOfGraphQL(parent) || isOfGraphQL(field)) return;
        names.add(`${parent}.${field}(${name.value}:)`);
      },
      ObjectField({ name }) {
        const parent = info.getParentInputType();
        const type = parent === null || parent === undefined ? undefined : getNamedType(parent);
        if (isInputObjectType(type)) names.add(`${type.name}.${name.value}`);
      },
      EnumValue({ value }) {
        const input = info.getInputType();
        const type = input === null || input === undefined ? undefined : getNamedType(input);
        if (isEnumType(type)) names.add(`${type.name}.${value}`);
      },
      NamedType: ({ name }) => {
        addType(schema.getType(name.value));
      },
    }),
  );
  return names;
}

const hasDirective = (info: TypeInfo): boolean =>
  info.getDirective() !== null && info.getDirective() !== undefined;

/** Introspection and GraphQL's own scalars exist for everyone. */
const isOfGraphQL = (name: string): boolean => name.startsWith('__') || builtIn.has(name);
const builtIn = new Set(['Int', 'Float', 'String', 'Boolean', 'ID']);
