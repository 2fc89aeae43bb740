import {
  GraphQLError,
  Kind,
  visit,
  type ASTNode,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  type TypeNode,
} from 'graphql';
import { snake } from '../../store/tables/table.js';
import type {
  ConstantCondition,
  FieldDeclaration,
  FieldSource,
  FilterDeclaration,
  FilterKind,
  TypeDeclaration,
} from './declaration.js';
import {
  placeOf,
  type MappingDirectives,
  type ParsedFile,
  type SdlFaults,
  type Values,
} from './sdl-files.js';
import { isName, WritingReader } from './read-writing.js';
import { filterName, usualFilterText, usualSortText, wordsOf, type NamedField } from './usual-words.js';

/** The types with `@table`, in the order of the files. Everything that is wrong goes to `faults`. */
export function readDeclarations(
  files: readonly ParsedFile[],
  mapping: MappingDirectives,
  faults: SdlFaults,
): TypeDeclaration[] {
  const documents = files.map(({ document }) => document);
  const reader = new Reader(documents, mapping, faults);
  return documents.flatMap((document) => reader.document(document));
}

/** The arguments of `@table`. */
interface TableValues extends Pick<TypeDeclaration, 'one' | 'many' | 'order'> {
  readonly name: string;
  readonly key?: readonly string[];
  readonly where?: readonly ConstantCondition[];
}

type TypeNodes = ObjectTypeDefinitionNode | ObjectTypeExtensionNode;
type Annotated = TypeNodes | FieldDefinitionNode;
class Reader {
  private readonly enums: ReadonlySet<string>;
  private readonly writing: WritingReader;

  constructor(
    documents: readonly DocumentNode[],
    private readonly mapping: MappingDirectives,
    private readonly faults: SdlFaults,
  ) {
    this.writing = new WritingReader((name, node) => this.one(name, node), faults);
    this.enums = new Set(
      documents
        .flatMap(({ definitions }) => definitions)
        .flatMap((node) => (node.kind === Kind.ENUM_TYPE_DEFINITION ? [node.name.value] : [])),
    );
  }

  document(document: DocumentNode): TypeDeclaration[] {
    const types = document.definitions.flatMap((node) => {
      if (node.kind === Kind.OBJECT_TYPE_EXTENSION) this.extension(node);
      return node.kind === Kind.OBJECT_TYPE_DEFINITION ? this.type(node) : [];
    });
    this.refuseElsewhere(document);
    return types;
  }

  /** Mappings stand on types and their fields alone. */
  private refuseElsewhere(document: DocumentNode): void {
    const inTypes = new Set(
      document.definitions.flatMap((node) =>
        node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION
          ? [node, ...(node.fields ?? [])].flatMap(({ directives = [] }) => directives)
          : [],
      ),
    );
    visit(document, {
      Directive: (node) => {
        const directive = node as ConstDirectiveNode;
        if (inTypes.has(directive) || !this.mapping.has(directive)) return;
        this.faults.add(
          directive,
          `@${directive.name.value} stands on a type with @table, or on a field of it.`,
        );
      },
    });
  }

  /** An extension maps nothing: what is made of a type stands in its definition. */
  extension(node: ObjectTypeExtensionNode): void {
    this.refuseMapping(node, 'an extension');
  }

  type(node: ObjectTypeDefinitionNode): TypeDeclaration[] {
    if (said('table', node) === undefined) {
      this.refuseMapping(node, 'a type without it');
      return [];
    }
    const table = this.one('table', node) as TableValues | undefined;
    if (table === undefined) return [];
    if (said('rows', node) === undefined)
      this.faults.add(node, `${node.name.value} has a @table and no @rows: say which scope sees its rows.`);
    const scope = textIn('scope', said('rows', node)) ?? '';
    const fields = (node.fields ?? []).flatMap((field) => this.field(node, field));
    const sorting = fields.find(({ name }) => name === table.order.by);
    if (!(node.fields ?? []).some(({ name }) => name.value === table.order.by))
      this.faults.add(node, `${node.name.value} is sorted by ${table.order.by}, which is no field of it.`);
    else if (sorting !== undefined && scope !== '' && sorting.scope !== '' && sorting.scope !== scope)
      this.faults.add(
        node,
        `${node.name.value} is sorted by ${sorting.name}, which not everybody may see who sees its rows.`,
      );
    const query = this.one('query', node) as { one?: string; list?: string } | undefined;
    return [
      {
        name: node.name.value,
        place: placeOf(node),
        table: table.name,
        key: table.key,
        where: table.where ?? [],
        scope,
        one: table.one,
        many: table.many,
        order: table.order,
        query: { one: this.checkedName(node, query?.one), list: this.checkedName(node, query?.list) },
        bounds: pathsIn(said('rows', node)),
        writes: this.writing.type(node, fields),
        fields,
        faulty: (node.fields ?? [])
          .map(({ name }) => name.value)
          .filter((name) => !fields.some((field) => field.name === name)),
      },
    ];
  }

  /** None for a field with faults of its own, from which others would follow. */
  private field(type: ObjectTypeDefinitionNode, node: FieldDefinitionNode): FieldDeclaration[] {
    const name = node.name.value;
    const scope = textIn('name', said('scope', node)) ?? '';
    const words = this.one('label', node) as { one: string; many: string } | undefined;
    const named = { name, place: placeOf(node), type: namedType(node.type), ...(words ?? wordsOf(name)) };
    const sort = this.one('sort', node) as { description?: string } | undefined;
    const { query: find } = (this.one('find', node) ?? {}) as { query?: string };
    this.checkedName(node, find);
    const source = this.source(type, node);
    const filters = this.filters(node, named);
    this.check(`${type.name.value}.${name}`, node, source, [...filters.map(({ by }) => by)]);
    if (find !== undefined && named.type !== 'String')
      this.faults.add(
        node,
        `${type.name.value}.${name} is of the type ${named.type}, which no root field can find by.`,
      );
    if (this.faults.areIn(node)) return [];
    if (said('scope', node) === undefined) this.faults.add(node, `${type.name.value}.${name} has no @scope.`);
    return [
      {
        ...named,
        scope,
        isRequired: node.type.kind === Kind.NON_NULL_TYPE,
        isPersonal: said('personal', node) !== undefined,
        source,
        filters,
        sort: sort === undefined ? undefined : (sort.description ?? usualSortText(named)),
        find,
        writing: this.writing.field(`${type.name.value}.${name}`, node, source),
      },
    ];
  }

  private filters(node: FieldDefinitionNode, named: NamedField): FilterDeclaration[] {
    return this.all('filter', node).map((values) => {
      const by = values.by as FilterKind;
      const [name, text] = [values.name, values.description] as (string | undefined)[];
      return {
        by,
        name: this.checkedName(node, name) ?? filterName(named.name, by),
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
    if (kind === 'version' && (namedType(node.type) !== 'String' || isList))
      this.faults.add(node, `${coordinate} has @version: its type is String!.`);
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
      if (fits(by, this.enums.has(type) ? 'enum' : type)) continue;
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
    if (first === undefined) return { kind: 'column', column: snake(node.name.value) };
    const { kind, ...values } = first as { kind: string } & Values;
    if (kind !== 'column') return first as unknown as FieldSource;
    return { kind: 'column', column: String(values.name) };
  }

  /** Without a table there is nothing that could be made. */
  private refuseMapping(node: TypeNodes, what: string): void {
    for (const place of [node, ...(node.fields ?? [])]) {
      const found = place.directives?.find((directive) => this.mapping.has(directive));
      if (found === undefined) continue;
      this.faults.add(found, `@${found.name.value} needs a type with @table, and this is ${what}.`);
    }
  }

  /** Undefined for a name that GraphQL does not take, of which the SDL could not be read. */
  private checkedName(node: ASTNode, name: string | undefined): string | undefined {
    if (name === undefined || isName(name)) return name;
    this.faults.add(node, `${JSON.stringify(name)} is no name: letters, digits and _.`);
    return undefined;
  }

  private one(name: string, node: Annotated): Values | undefined {
    return this.all(name, node)[0];
  }

  private all(name: string, node: Annotated): Values[] {
    const found = (node.directives ?? []).filter((directive) => directive.name.value === name);
    return found.flatMap((directive) => {
      try {
        return [this.mapping.values(directive)];
      } catch (error) {
        // The check of directives has told it.
        if (!(error instanceof GraphQLError)) throw error;
        return [];
      }
    });
  }
}

const said = (name: string, { directives = [] }: Annotated): ConstDirectiveNode | undefined =>
  directives.find((directive) => directive.name.value === name);

/** The paths of `@rows(bounds:)`, as far as they are texts. */
function pathsIn(rows: ConstDirectiveNode | undefined): string[] {
  const bounds = rows?.arguments?.find(({ name }) => name.value === 'bounds')?.value;
  const list = bounds?.kind === Kind.LIST ? bounds.values : bounds === undefined ? [] : [bounds];
  return list.flatMap((bound) => {
    const path =
      bound.kind === Kind.OBJECT ? bound.fields.find(({ name }) => name.value === 'path')?.value : undefined;
    return path?.kind === Kind.STRING ? [path.value] : [];
  });
}

/** A text in a directive's arguments. */
function textIn(argument: string, directive: ConstDirectiveNode | undefined): string | undefined {
  const value = directive?.arguments?.find(({ name }) => name.value === argument)?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}

const sourceDirectives = ['column', 'money', 'reference', 'children', 'version', 'code'] as const;

/** The directives that compare a field's value. */
const comparing: ReadonlySet<string> = new Set(['filter', 'sort', 'find']);

/** Whether a condition of this kind can compare values of this type. */
function fits(by: FilterKind, type: string): boolean {
  switch (by) {
    case 'STARTS_WITH':
      return type === 'String';
    case 'FROM':
    case 'BEFORE':
      return type === 'DateTime' || type === 'Date';
    case 'AT_LEAST':
    case 'AT_MOST':
      return ['Int', 'Float', 'Money', 'BigInt', 'Decimal'].includes(type);
    case 'EQUALS':
      return type === 'Boolean' || equal.has(type);
    case 'ONE_OF':
      return equal.has(type);
  }
}

const equal: ReadonlySet<string> = new Set(['String', 'Int', 'enum', 'BigInt', 'Decimal', 'Date']);

const listed = (type: TypeNode): boolean =>
  type.kind === Kind.LIST_TYPE || (type.kind === Kind.NON_NULL_TYPE && listed(type.type));

const namedType = (type: TypeNode): string =>
  type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
