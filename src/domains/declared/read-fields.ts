import { Kind, type FieldDefinitionNode, type ObjectTypeDefinitionNode, type TypeNode } from 'graphql';
import { snake } from '../../store/tables/table.js';
import type { FieldDeclaration, FieldSource, FilterDeclaration, FilterKind } from './declaration.js';
import { checkedName, said, textIn, type DirectiveValues } from './directive-values.js';
import type { WritingReader } from './read-writing.js';
import { placeOf, type SdlFaults, type Values } from './sdl-files.js';
import { filterName, usualFilterText, usualSortText, wordsOf, type NamedField } from './usual-words.js';

/** Reads the fields of types with `@table`. All faults go to `faults`. */
export class FieldReader {
  constructor(
    private readonly values: DirectiveValues,
    private readonly writing: WritingReader,
    private readonly enums: ReadonlySet<string>,
    private readonly faults: SdlFaults,
  ) {}

  /** Empty for a field with faults, because others would follow from them. */
  field(type: ObjectTypeDefinitionNode, node: FieldDefinitionNode): FieldDeclaration[] {
    const name = node.name.value;
    const scope = textIn('name', said('scope', node)) ?? '';
    const words = this.values.one('label', node) as { one: string; many: string } | undefined;
    const named = { name, place: placeOf(node), type: namedType(node.type), ...(words ?? wordsOf(name)) };
    const sort = this.values.one('sort', node) as { description?: string } | undefined;
    const { query: find } = (this.values.one('find', node) ?? {}) as { query?: string };
    checkedName(node, find, this.faults);
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
    return this.values.all('filter', node).map((values) => {
      const by = values.by as FilterKind;
      const [name, text] = [values.name, values.description] as (string | undefined)[];
      return {
        by,
        name: checkedName(node, name, this.faults) ?? filterName(named.name, by),
        description: text ?? usualFilterText(named, by),
      };
    });
  }

  /** The directives about a field's value must fit the field's type. */
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
      const values = this.values.one(directive, node);
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
