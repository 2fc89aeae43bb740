import {
  isTypeDefinitionNode,
  isTypeExtensionNode,
  Kind,
  specifiedScalarTypes,
  visit,
  type ConstDirectiveNode,
  type DefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  type NameNode,
  type TypeDefinitionNode,
  type TypeExtensionNode,
} from 'graphql';
import { isScopeName } from '../../authority/scope.js';
import { argumentOf } from './company-definitions.js';
import { type ParsedFile, type SdlFaults } from './sdl-files.js';

/**
 * Tells what is defined a second time, and extensions of nothing. The result is the files without these, so that nothing
 * else follows from them.
 */
export function withoutRepeated(files: readonly ParsedFile[], faults: SdlFaults): ParsedFile[] {
  const check = new Repetitions(files, faults);
  return files.map((file) => ({
    ...file,
    document: {
      ...file.document,
      definitions: file.document.definitions.flatMap((node) => check.definition(node, file)),
    },
  }));
}

class Repetitions {
  private readonly types: ReadonlySet<string>;
  /** The files that define names: `Film`, `@scope`, `Film.title`. */
  private readonly seen = new Map<string, ParsedFile>();
  private hasSchema = false;

  constructor(
    files: readonly ParsedFile[],
    private readonly faults: SdlFaults,
  ) {
    this.types = new Set(
      files
        .flatMap(({ document }) => document.definitions)
        .flatMap((node) => (isTypeDefinitionNode(node) ? [node.name.value] : [])),
    );
  }

  definition(node: DefinitionNode, file: ParsedFile): DefinitionNode[] {
    if (node.kind === Kind.SCHEMA_DEFINITION) {
      if (this.hasSchema) this.faults.mend(node, 'The schema is there already: write `extend schema`.', '');
      const isFirst = !this.hasSchema;
      this.hasSchema = true;
      return isFirst ? [node] : [];
    }
    if (node.kind === Kind.DIRECTIVE_DEFINITION)
      return this.isNew(`@${node.name.value}`, node, file) ? [node] : [];
    if (isTypeExtensionNode(node)) {
      const name = node.name.value;
      if (this.types.has(name) || this.faults.mayDefine(name)) return [this.members(node, file)];
      this.faults.mend(node, `There is no type ${name} to extend.`, '');
      return [];
    }
    if (!isTypeDefinitionNode(node)) return [node];
    return this.isNew(node.name.value, node, file) ? [this.members(node, file)] : [];
  }

  private isNew(name: string, node: DefinitionNode, file: ParsedFile): boolean {
    const other = this.seen.get(name);
    if (other === undefined) this.seen.set(name, file);
    else this.faults.mend(node, repeated(name, other, file), '');
    return other === undefined;
  }

  /** The fields or values that are there for the first time. */
  private members<Node extends TypeDefinitionNode | TypeExtensionNode>(node: Node, file: ParsedFile): Node {
    const first = <Member extends { readonly name: NameNode }>(members: readonly Member[]): Member[] =>
      members.filter(({ name }) => {
        const coordinate = `${node.name.value}.${name.value}`;
        const other = this.seen.get(coordinate);
        if (other === undefined) this.seen.set(coordinate, file);
        // Another name, because a type without fields is no SDL.
        else
          this.faults.mend(
            name,
            repeated(coordinate, other, file),
            `${name.value}_${String(name.loc?.start)}`,
          );
        return other === undefined;
      });
    const [fields, values] = [
      'fields' in node
        ? { fields: first<FieldDefinitionNode | InputValueDefinitionNode>(node.fields ?? []) }
        : {},
      'values' in node ? { values: first(node.values ?? []) } : {},
    ];
    return { ...node, ...fields, ...values };
  }
}

const repeated = (name: string, other: ParsedFile, { isOwn }: ParsedFile): string =>
  isOwn === true && other.isOwn !== true
    ? `${name} ships already: name yours otherwise.`
    : `${name} is defined twice.`;

/** Tells types that there are not. They are read as texts. @param made the names of types that are made of others */
export function checkTypes(files: readonly ParsedFile[], made: ReadonlySet<string>, faults: SdlFaults): void {
  const written = files
    .flatMap(({ document }) => document.definitions)
    .flatMap((node) => (isTypeDefinitionNode(node) ? [node.name.value] : []));
  const known = new Set([...written, ...made, ...specifiedScalarTypes.map(({ name }) => name)]);
  for (const { document } of files)
    visit(document, {
      NamedType: (node) => {
        const name = node.name.value;
        if (known.has(name)) return;
        if (faults.mayDefine(name)) faults.readAs(node, 'String');
        else faults.mend(node, `There is no type ${name}: define it, or correct the name.`, 'String');
      },
    });
}

/** Tells scopes and dimensions that are defined twice, that ship, or whose names are none. */
export function checkDefined(
  files: readonly ParsedFile[],
  shippedScopes: ReadonlySet<string>,
  faults: SdlFaults,
): void {
  const seen = new Map<string, ParsedFile>();
  for (const file of files)
    visit(file.document, {
      Directive: (node) => {
        const what = defining.get(node.name.value);
        const name = argumentOf(node as ConstDirectiveNode, 'name');
        if (what === undefined || name?.kind !== Kind.STRING) return;
        const [key, other] = [`${what} ${name.value}`, seen.get(`${what} ${name.value}`)];
        const isShipped = what === 'scope' && file.isOwn === true && shippedScopes.has(name.value);
        if (isShipped)
          faults.add(node, `The scope ${name.value} ships, and roles hold it: name yours otherwise.`);
        else if (other !== undefined) faults.add(node, `The ${repeated(key, other, file)}`);
        else if (what === 'scope' && !isScopeName(name.value))
          faults.add(node, `The scope ${name.value} is not written resource:action, such as films:read.`);
        seen.set(key, file);
      },
    });
}

const defining = new Map([
  ['defineScope', 'scope'],
  ['defineDimension', 'dimension'],
]);
