import {
  Kind,
  visit,
  type ConstDirectiveNode,
  type DocumentNode,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
} from 'graphql';
import type { ConstantCondition, TypeDeclaration } from './declaration.js';
import { checkedName, DirectiveValues, pathsIn, said, textIn } from './directive-values.js';
import { FieldReader } from './read-fields.js';
import { WritingReader } from './read-writing.js';
import { placeOf, type MappingDirectives, type ParsedFile, type SdlFaults } from './sdl-files.js';

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

class Reader {
  private readonly values: DirectiveValues;
  private readonly writing: WritingReader;
  private readonly fields: FieldReader;

  constructor(
    documents: readonly DocumentNode[],
    private readonly mapping: MappingDirectives,
    private readonly faults: SdlFaults,
  ) {
    const enums = documents
      .flatMap(({ definitions }) => definitions)
      .flatMap((node) => (node.kind === Kind.ENUM_TYPE_DEFINITION ? [node.name.value] : []));
    this.values = new DirectiveValues(mapping);
    this.writing = new WritingReader(this.values, faults);
    this.fields = new FieldReader(this.values, this.writing, new Set(enums), faults);
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
    const table = this.values.one('table', node) as TableValues | undefined;
    if (table === undefined) return [];
    if (said('rows', node) === undefined)
      this.faults.add(node, `${node.name.value} has a @table and no @rows: say which scope sees its rows.`);
    const scope = textIn('scope', said('rows', node)) ?? '';
    const fields = (node.fields ?? []).flatMap((field) => this.fields.field(node, field));
    const sorting = fields.find(({ name }) => name === table.order.by);
    if (!(node.fields ?? []).some(({ name }) => name.value === table.order.by))
      this.faults.add(node, `${node.name.value} is sorted by ${table.order.by}, which is no field of it.`);
    else if (sorting !== undefined && scope !== '' && sorting.scope !== '' && sorting.scope !== scope)
      this.faults.add(
        node,
        `${node.name.value} is sorted by ${sorting.name}, which not everybody may see who sees its rows.`,
      );
    const query = this.values.one('query', node) as { one?: string; list?: string } | undefined;
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
        query: {
          one: checkedName(node, query?.one, this.faults),
          list: checkedName(node, query?.list, this.faults),
        },
        bounds: pathsIn(said('rows', node)),
        writes: this.writing.type(node, fields),
        fields,
        faulty: (node.fields ?? [])
          .map(({ name }) => name.value)
          .filter((name) => !fields.some((field) => field.name === name)),
      },
    ];
  }

  /** Without a table there is nothing that could be made. */
  private refuseMapping(node: TypeNodes, what: string): void {
    for (const place of [node, ...(node.fields ?? [])]) {
      const found = place.directives?.find((directive) => this.mapping.has(directive));
      if (found === undefined) continue;
      this.faults.add(found, `@${found.name.value} needs a type with @table, and this is ${what}.`);
    }
  }
}
