import { placeText, type Fault } from '../../core/fault.js';
import type { AnyTable } from '../../store/tables/table.js';
import type { CodeField } from './code-fields.js';
import { resolversIn, type CodeFile } from './code-file.js';
import type { Resolver } from './domain.js';

/** A contradiction between a company's code and its SDL, or a fault of the code alone. */
export type CodeFault = Fault &
  (
    | { readonly kind: 'code' }
    /** A field that needs a resolver in code and has none. */
    | { readonly kind: 'no resolver' }
    /** A resolver of a field that no file of SDL declares. */
    | { readonly kind: 'no field'; readonly field: string }
  );

/** The contradictions between a company's code and its SDL. */
export function codeFaults(
  files: readonly CodeFile[],
  fields: readonly CodeField[],
  tables: readonly AnyTable[],
): CodeFault[] {
  const given = files.flatMap((file) =>
    resolversIn(file).map(([type, name, resolver]): Given => ({ file, type, name, resolver })),
  );
  return [...resolverFaults(given, fields, tables), ...fieldFaults(fields, new Set(given.map(coordinateOf)))];
}

/** A resolver and its place. */
interface Given {
  readonly file: CodeFile;
  readonly type: string;
  readonly name: string;
  readonly resolver: Resolver;
}

const coordinateOf = ({ type, name }: Given): string => `${type}.${name}`;

function resolverFaults(
  given: readonly Given[],
  fields: readonly CodeField[],
  tables: readonly AnyTable[],
): CodeFault[] {
  const faults: CodeFault[] = [];
  const byCoordinate = new Map(fields.map((field) => [field.coordinate, field]));
  const givers = new Map<string, string>();
  for (const one of given) {
    const coordinate = coordinateOf(one);
    const place = { file: one.file.name };
    const add = (message: string): unknown => faults.push({ kind: 'code', place, message });
    const field = byCoordinate.get(coordinate);
    const other = givers.get(coordinate);
    givers.set(coordinate, one.file.name);
    if (other !== undefined) add(`${coordinate} has a resolver in ${other} too.`);
    if (field === undefined)
      faults.push({
        kind: 'no field',
        field: one.name,
        place,
        message: `There is a resolver for ${coordinate}, which no file of schema/ declares.`,
      });
    else if (field.code === 'table')
      add(
        `${coordinate} is read from its table (${placeText(field.place)}): mark it @code, or leave the resolver out.`,
      );
    for (const column of unknownColumns(one, tables))
      add(`${coordinate} reads the column ${column}, which ${one.type} does not have.`);
  }
  return faults;
}

function unknownColumns({ type, resolver }: Given, tables: readonly AnyTable[]): string[] {
  const columns = tables.find((table) => table.type === type)?.columns;
  if (columns === undefined) return [];
  return (resolver.reads ?? []).filter((column) => column !== 'id' && !Object.hasOwn(columns, column));
}

/** @param given the coordinates that have a resolver */
function fieldFaults(fields: readonly CodeField[], given: ReadonlySet<string>): CodeFault[] {
  return fields.flatMap(({ coordinate, place, code, lacksKey }) => {
    const unresolved = `${coordinate} has no resolver: no file of code/ gives one.`;
    const unkeyed = `${coordinate} is a mutation without \`idempotencyKey: String! @plain\`.`;
    return [
      ...(code === 'required' && !given.has(coordinate)
        ? [{ kind: 'no resolver' as const, place, message: unresolved }]
        : []),
      ...(lacksKey ? [{ kind: 'code' as const, place, message: unkeyed }] : []),
    ];
  });
}
