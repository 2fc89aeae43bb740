import {
  buildASTSchema,
  getDirectiveValues,
  GraphQLError,
  Kind,
  parse,
  Source,
  type ASTNode,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type GraphQLSchema,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  type TypeNode,
} from 'graphql';
import type {
  FieldDeclaration,
  FieldSource,
  FilterDeclaration,
  FilterKind,
  TypeDeclaration,
} from './declaration.js';
import { filterName, usualFilterText, usualSortText, wordsOf, type NamedField } from './usual-words.js';

/** One SDL file. */
export interface SdlFile {
  readonly name: string;
  readonly text: string;
}

export interface ParsedFile extends SdlFile {
  readonly document: DocumentNode;
}

/** The directives that only say how a type is made. What is made does not have them. */
export const mappingDirectives: ReadonlySet<string> = new Set([
  ...['table', 'query', 'find', 'filter', 'sort', 'label'],
  ...['column', 'money', 'reference', 'children', 'code'],
]);

/** Collects what is wrong, each with its file and line. */
export class SdlFaults {
  readonly all: string[] = [];

  add(node: ASTNode, message: string): void {
    // A description may stand lines above the name.
    const { loc } = 'name' in node && node.name !== undefined ? node.name : node;
    const place = loc === undefined ? 'SDL' : `${loc.source.name}:${String(loc.startToken.line)}`;
    this.all.push(`${place}: ${message}`);
  }

  /** Throws where there are any. */
  check(): void {
    if (this.all.length > 0) throw new Error(`The schema is faulty:\n- ${this.all.join('\n- ')}`);
  }
}

export function parseFiles(files: readonly SdlFile[], faults: SdlFaults): ParsedFile[] {
  return files.flatMap((file) => {
    try {
      return [{ ...file, document: parse(new Source(file.text, file.name)) }];
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const line = error.locations?.[0]?.line ?? 1;
      faults.all.push(`${file.name}:${String(line)}: ${error.message}`);
      return [];
    }
  });
}

/** The types with `@table`, in the order of the files. What is wrong goes to `faults`. */
export function readDeclarations(files: readonly ParsedFile[], faults: SdlFaults): TypeDeclaration[] {
  const definitions = files.flatMap(({ document }) => document.definitions);
  const reader = new Reader(directivesOf(definitions), faults);
  return definitions.flatMap((definition) => {
    if (definition.kind === Kind.OBJECT_TYPE_EXTENSION) reader.extension(definition);
    return definition.kind === Kind.OBJECT_TYPE_DEFINITION ? reader.type(definition) : [];
  });
}

const simpleKinds: readonly string[] = [
  ...[Kind.DIRECTIVE_DEFINITION, Kind.ENUM_TYPE_DEFINITION],
  ...[Kind.INPUT_OBJECT_TYPE_DEFINITION, Kind.SCALAR_TYPE_DEFINITION],
];

/** A schema of the directives alone, because the types are not whole before what they say is made. */
const directivesOf = (definitions: DocumentNode['definitions']): GraphQLSchema =>
  buildASTSchema(
    { kind: Kind.DOCUMENT, definitions: definitions.filter(({ kind }) => simpleKinds.includes(kind)) },
    { assumeValidSDL: true },
  );

type TypeNodes = ObjectTypeDefinitionNode | ObjectTypeExtensionNode;
type Annotated = TypeNodes | FieldDefinitionNode;
type Values = Readonly<Record<string, unknown>>;

class Reader {
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly faults: SdlFaults,
  ) {}

  /** An extension maps nothing: what is made of a type stands in its definition. */
  extension(node: ObjectTypeExtensionNode): void {
    this.checkDirectives(node);
    this.refuseMapping(node, 'an extension');
  }

  type(node: ObjectTypeDefinitionNode): TypeDeclaration[] {
    this.checkDirectives(node);
    const table = this.one('table', node) as
      | { name: string; one: string; many: string; order: { by: string; direction: 'ASC' | 'DESC' } }
      | undefined;
    if (table === undefined) {
      this.refuseMapping(node, 'a type without it');
      return [];
    }
    const rows = this.one('rows', node);
    if (rows === undefined) {
      this.faults.add(node, `${node.name.value} has a @table and no @rows: say which scope sees its rows.`);
      return [];
    }
    const fields = (node.fields ?? []).flatMap((field) => this.field(node, field));
    if (!fields.some(({ name }) => name === table.order.by))
      this.faults.add(node, `${node.name.value} is sorted by ${table.order.by}, which is no field of it.`);
    const query = this.one('query', node) as { one?: string; list?: string } | undefined;
    return [
      {
        name: node.name.value,
        table: table.name,
        scope: String(rows.scope),
        one: table.one,
        many: table.many,
        order: table.order,
        query: { one: query?.one, list: query?.list },
        fields,
      },
    ];
  }

  private field(type: ObjectTypeDefinitionNode, node: FieldDefinitionNode): FieldDeclaration[] {
    const name = node.name.value;
    const scope = this.one('scope', node);
    if (scope === undefined) {
      this.faults.add(node, `${type.name.value}.${name} has no @scope.`);
      return [];
    }
    const words = this.one('label', node) as { one: string; many: string } | undefined;
    const named = { name, type: namedType(node.type), ...(words ?? wordsOf(name)) };
    const sort = this.one('sort', node) as { description?: string } | undefined;
    const find = this.one('find', node) as { query: string } | undefined;
    const source = this.source(type, node);
    const filters = this.filters(node, named);
    this.check(`${type.name.value}.${name}`, node, source, [
      ...filters.map(({ by }) => by),
      ...(find === undefined ? [] : (['EQUALS'] as const)),
    ]);
    return [
      {
        ...named,
        scope: String(scope.name),
        isPersonal: this.all('personal', node).length > 0,
        source,
        filters,
        sort: sort === undefined ? undefined : (sort.description ?? usualSortText(named)),
        find: find?.query,
      },
    ];
  }

  private filters(node: FieldDefinitionNode, named: NamedField): FilterDeclaration[] {
    return this.all('filter', node).map((values) => {
      const by = values.by as FilterKind;
      const [name, text] = [values.name, values.description] as (string | undefined)[];
      return {
        by,
        name: name ?? filterName(named.name, by),
        description: text ?? usualFilterText(named, by),
      };
    });
  }

  /** What a field says of its value must fit its type. */
  private check(
    coordinate: string,
    node: FieldDefinitionNode,
    { kind }: FieldSource,
    compared: readonly FilterKind[],
  ): void {
    const isList = listed(node.type);
    if (kind === 'children' && !isList)
      this.faults.add(node, `${coordinate} has @children: write its type as a list, such as [Order!].`);
    if (kind === 'reference' && (isList || node.type.kind === Kind.NON_NULL_TYPE))
      this.faults.add(
        node,
        `${coordinate} has @reference: its type is one row that may be out of reach, so nullable.`,
      );
    if ((kind === 'column' || kind === 'money') && isList)
      this.faults.add(node, `${coordinate} is a list: say @children or @code.`);
    if (kind === 'money' && namedType(node.type) !== 'Money')
      this.faults.add(node, `${coordinate} has @money: its type is Money.`);
    const isComparable = kind === 'column' || kind === 'money';
    const uses = (node.directives ?? []).filter(({ name }) => comparing.has(name.value));
    if (!isComparable && uses[0] !== undefined)
      this.faults.add(uses[0], `${coordinate} is no column, so @${uses[0].name.value} does not apply to it.`);
    const type = namedType(node.type);
    for (const by of isComparable ? compared : []) {
      if (fits(by, type)) continue;
      this.faults.add(node, `${coordinate} is of the type ${type}, which ${by} cannot compare.`);
    }
  }

  private source(type: ObjectTypeDefinitionNode, node: FieldDefinitionNode): FieldSource {
    const said = sourceDirectives.flatMap((directive) => {
      const values = this.one(directive, node);
      return values === undefined ? [] : [{ kind: directive, ...values }];
    });
    const [first, second] = said;
    if (second !== undefined) {
      const names = said.map(({ kind }) => `@${kind}`).join(' and ');
      this.faults.add(node, `${type.name.value}.${node.name.value} has ${names}: say one of them.`);
    }
    if (first === undefined) return { kind: 'column', column: columnOf(node.name.value) };
    const { kind, ...values } = first as { kind: string } & Values;
    if (kind !== 'column') return first as unknown as FieldSource;
    return { kind: 'column', column: String(values.name) };
  }

  /** Without a table there is nothing that could be made. */
  private refuseMapping(node: TypeNodes, what: string): void {
    for (const place of [node, ...(node.fields ?? [])]) {
      const found = place.directives?.find(({ name }) => mappingDirectives.has(name.value));
      if (found === undefined) continue;
      this.faults.add(found, `@${found.name.value} needs a type with @table, and this is ${what}.`);
    }
  }

  private checkDirectives(node: TypeNodes): void {
    for (const directive of [node, ...(node.fields ?? [])].flatMap((place) => place.directives ?? [])) {
      const definition = this.schema.getDirective(directive.name.value);
      if (definition === null || definition === undefined) {
        this.faults.add(directive, `There is no directive @${directive.name.value}.`);
        continue;
      }
      for (const argument of directive.arguments ?? []) {
        if (definition.args.some(({ name }) => name === argument.name.value)) continue;
        this.faults.add(argument, `@${definition.name} has no argument ${argument.name.value}.`);
      }
    }
  }

  private one(name: string, node: Annotated): Values | undefined {
    return this.all(name, node)[0];
  }

  private all(name: string, node: Annotated): Values[] {
    const definition = this.schema.getDirective(name);
    if (definition === null || definition === undefined) return [];
    const said = (node.directives ?? []).filter((directive) => directive.name.value === name);
    return said.flatMap((directive) => {
      try {
        const values: Values | undefined = getDirectiveValues(definition, { directives: [directive] });
        return values === undefined ? [] : [values];
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
        this.faults.add(directive, error.message);
        return [];
      }
    });
  }
}

const sourceDirectives = ['column', 'money', 'reference', 'children', 'code'] as const;

/** The directives that compare a field's value. */
const comparing: ReadonlySet<string> = new Set(['filter', 'sort', 'find']);

/** Whether a condition of this kind can compare values of this type. */
function fits(by: FilterKind, type: string): boolean {
  switch (by) {
    case 'STARTS_WITH':
      return type === 'String';
    case 'FROM':
    case 'BEFORE':
      return type === 'DateTime';
    case 'AT_LEAST':
    case 'AT_MOST':
      return type === 'Int' || type === 'Float' || type === 'Money';
    case 'EQUALS':
    case 'ONE_OF':
      return type !== 'Money' && type !== 'Float';
  }
}

const listed = (type: TypeNode): boolean =>
  type.kind === Kind.LIST_TYPE || (type.kind === Kind.NON_NULL_TYPE && listed(type.type));

/** `placedAt` is in the column `placed_at`. */
const columnOf = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const namedType = (type: TypeNode): string =>
  type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);

/** Whether a directive only says how something is made. */
export const isMapping = (directive: ConstDirectiveNode): boolean =>
  mappingDirectives.has(directive.name.value);
