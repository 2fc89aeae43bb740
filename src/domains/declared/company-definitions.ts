import { isTypeDefinitionNode, Kind, parse, visit, type ConstDirectiveNode } from 'graphql';

export const argumentOf = ({ arguments: given }: ConstDirectiveNode, name: string) =>
  given?.find((one) => one.name.value === name)?.value;

/** Something that SDL defines by a directive, with its line. */
export interface Defined {
  readonly name: string;
  readonly line: number;
}

/**
 * The dimensions, or the scopes, that SDL defines. The result is empty for SDL that cannot be parsed: the reader of the
 * files tells its faults.
 */
export function definedBy(directive: 'defineDimension' | 'defineScope', text: string): Defined[] {
  const found: Defined[] = [];
  eachDirective(text, directive, (node) => {
    const name = argumentOf(node, 'name');
    if (name?.kind === Kind.STRING) found.push({ name: name.value, line: node.loc?.startToken.line ?? 1 });
  });
  return found;
}

/**
 * The same SDL, in which the dimensions apply to none of its types. A company's dimension is about its own tables, and
 * types that ship cannot name it.
 */
export function withoutDimensions(text: string, names: readonly string[]): string {
  if (names.length === 0) return text;
  const added = names.map((name) => `, ${JSON.stringify(name)}`).join('');
  const ends: number[] = [];
  eachDirective(text, 'rows', (directive) => {
    const list = argumentOf(directive, 'unbounded');
    if (list?.kind === Kind.LIST && list.loc !== undefined) ends.push(list.loc.end - 1);
  });
  return ends.reduceRight((result, end) => result.slice(0, end) + added + result.slice(end), text);
}

/**
 * The same SDL, in which no dimension has its values in a type that is not there: a domain that is not installed has no
 * rows to name.
 */
export function withoutAbsentValues(text: string, types: ReadonlySet<string>): string {
  const spans: { readonly start: number; readonly end: number }[] = [];
  eachDirective(text, 'defineDimension', (directive) => {
    for (const { name, value, loc } of directive.arguments ?? []) {
      const names = name.value === 'values' || name.value === 'number';
      const [type = '', field] = value.kind === Kind.STRING ? value.value.split('.') : [];
      if (names && field !== undefined && !types.has(type) && loc !== undefined) spans.push(loc);
    }
  });
  return spans.reduceRight((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), text);
}

/** The names of the types that SDL defines. */
export function typesIn(text: string): string[] {
  try {
    return parse(text).definitions.flatMap((node) => (isTypeDefinitionNode(node) ? [node.name.value] : []));
  } catch {
    return [];
  }
}

function eachDirective(text: string, name: string, see: (directive: ConstDirectiveNode) => void): void {
  try {
    visit(parse(text), {
      Directive: (node) => {
        if (node.name.value === name) see(node as ConstDirectiveNode);
      },
    });
  } catch {
    // Told with its line where the file is read.
  }
}
