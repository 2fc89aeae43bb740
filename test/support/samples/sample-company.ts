import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Kind,
  parse,
  valueFromASTUntyped,
  type FieldDefinitionNode,
  type ObjectTypeDefinitionNode,
} from 'graphql';
import { Adopted } from '../adopted.js';
import type { TestServer } from '../server.js';
import type { Sample } from './sample.js';

/** What the files of a folder say about a type, read without the program's own code. */
export interface SampleType {
  readonly name: string;
  readonly table: string;
  /** The root fields for one row and for the list. */
  readonly one: string;
  readonly list: string;
  readonly orderBy: string;
  /** The columns of the primary key. */
  readonly key: readonly string[];
  readonly scopes: readonly string[];
  readonly fields: readonly SampleField[];
}

export interface SampleField {
  readonly name: string;
  /** The named type. */
  readonly type: string;
  readonly kind: 'column' | 'reference' | 'children';
  /** Of its own table; of the other table for `children`. */
  readonly columns: readonly string[];
  readonly filters: readonly { readonly by: string; readonly name: string }[];
  readonly isSorted: boolean;
}

export const writeScope = 'samples:write';
const shipped = ['customer', 'region', 'collection', 'classification', 'person'];

/** A sample's database, adopted and decided on. */
export class SampleCompany {
  private constructor(
    readonly sample: Sample,
    readonly adopted: Adopted,
    readonly types: readonly SampleType[],
  ) {}

  static async open(sample: Sample): Promise<SampleCompany> {
    const adopted = await Adopted.of(sample.statements());
    await adopted.cli.ok(['adopt', '--out', 'company']);
    const folder = join(adopted.folder, 'schema');
    const types: SampleType[] = [];
    for (const file of readdirSync(folder)) {
      const path = join(folder, file);
      const sdl = withFields(decided(readFileSync(path, 'utf8'), sample), sample);
      writeFileSync(path, sdl);
      types.push(await typeOf(typeIn(sdl), adopted));
    }
    const own = Object.keys(sample.dimensions).filter((name) => !shipped.includes(name));
    const define = (name: string): string =>
      `  @defineDimension(name: "${name}", description: "Of a company.")\n`;
    writeFileSync(join(folder, 'company.graphql'), `extend schema\n${own.map(define).join('')}`);
    return new SampleCompany(sample, adopted, types);
  }

  get scopes(): string[] {
    return [...new Set(this.types.flatMap(({ scopes }) => scopes))];
  }

  start(): Promise<TestServer> {
    return this.adopted.start();
  }
}

const typeIn = (sdl: string): ObjectTypeDefinitionNode => {
  const found = parse(sdl).definitions.find((node) => node.kind === Kind.OBJECT_TYPE_DEFINITION);
  if (found === undefined) throw new Error(`No type in\n${sdl}`);
  return found;
};

type Args = Readonly<Record<string, unknown>>;
const directives = (
  { directives: all = [] }: FieldDefinitionNode | ObjectTypeDefinitionNode,
  name: string,
): Args[] =>
  all
    .filter((node) => node.name.value === name)
    .map((node) =>
      Object.fromEntries(
        (node.arguments ?? []).map((one) => [one.name.value, valueFromASTUntyped(one.value)]),
      ),
    );
const directive = (node: FieldDefinitionNode | ObjectTypeDefinitionNode, name: string): Args =>
  directives(node, name)[0] ?? {};

function decided(sdl: string, { bounds, dimensions }: Sample): string {
  const all = [...new Set([...Object.keys(dimensions), ...shipped])];
  const mine = bounds[String(directive(typeIn(sdl), 'table').name)] ?? {};
  const bounded = Object.entries(mine).map(([name, { path }]) => `{ dimension: "${name}", path: "${path}" }`);
  const rest = all.filter((name) => mine[name] === undefined).map((name) => `"${name}"`);
  return sdl.replace(
    /bounds: \[.*?\], unbounded: \[.*?\]\)/s,
    `bounds: [${bounded.join(', ')}], unbounded: [${rest.join(', ')}])`,
  );
}

/** With the sample's filters, orders and mutation. */
function withFields(sdl: string, { filters, sorted, written }: Sample): string {
  const type = typeIn(sdl);
  const table = String(directive(type, 'table').name);
  let text = sdl;
  for (const field of [...(type.fields ?? [])].reverse()) {
    const column = `${table}.${columnsOf(field).join()}`;
    const made = (filters[column] ?? []).map(
      (by) => ` @filter(by: ${by}, name: "${field.name.value}_${by}")`,
    );
    if (sorted.includes(column) && directives(field, 'sort').length === 0) made.push(' @sort');
    if (column === written) made.push(' @writable');
    const end = field.loc?.end ?? 0;
    text = text.slice(0, end) + made.join('') + text.slice(end);
  }
  if (!written.startsWith(`${table}.`)) return text;
  const scope = String(directive(type, 'rows').scope);
  return text
    .replace(
      'extend schema\n',
      `extend schema\n  @defineScope(name: "${writeScope}", description: "Change rows.")\n`,
    )
    .replace('  @query(', `  @update(mutation: "changeRow", scope: "${writeScope}")\n  @query(`)
    .replace(/\n\}\s*$/, `\n  version: String! @scope(name: "${scope}") @version\n}\n`);
}

function columnsOf(field: FieldDefinitionNode): readonly string[] {
  const { column } = { ...directive(field, 'reference'), ...directive(field, 'children') } as Args;
  if (column !== undefined) return [column].flat() as string[];
  const { name } = directive(field, 'column');
  const usual = field.name.value.replaceAll(/[A-Z]/g, (one) => `_${one.toLowerCase()}`);
  return [typeof name === 'string' ? name : usual];
}

async function typeOf(node: ObjectTypeDefinitionNode, adopted: Adopted): Promise<SampleType> {
  const table = String(directive(node, 'table').name);
  const { one, list } = directive(node, 'query');
  const fields = (node.fields ?? []).map(fieldOf);
  return {
    name: node.name.value,
    table,
    one: String(one),
    list: String(list),
    orderBy: String((directive(node, 'table').order as Args).by),
    key: await adopted.keyOf(table),
    scopes: (node.fields ?? []).map((field) => String(directive(field, 'scope').name)),
    fields: fields.filter(({ name }) => name !== 'id' && name !== 'version'),
  };
}

function fieldOf(field: FieldDefinitionNode): SampleField {
  let type = field.type;
  while (type.kind !== Kind.NAMED_TYPE) type = type.type;
  const has = (name: string): boolean => directives(field, name).length > 0;
  return {
    name: field.name.value,
    type: type.name.value,
    kind: has('reference') ? 'reference' : has('children') ? 'children' : 'column',
    columns: columnsOf(field),
    filters: directives(field, 'filter').map(({ by, name }) => ({ by: String(by), name: String(name) })),
    isSorted: has('sort'),
  };
}
