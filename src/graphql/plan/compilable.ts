import { Kind, visit, type DocumentNode, type OperationDefinitionNode } from 'graphql';
import type { Selected, Selection } from './selection.js';

/** A larger operation is not compiled: compiling would take longer than running it. */
const fieldsMax = 500;

/**
 * The only caller text that may get into compiled code, besides GraphQL's own names. The compiler writes literals into
 * its source, and some of them, such as those that begin with `__MAGIC_DATE__`, as code.
 */
const plainText = /^[A-Za-z0-9 .,:@+/=-]*$/;

/** The conditions on a request under which a compiled operation gives the same as graphql-js. */
export interface Compilable {
  /** Variables inside input objects: the compiler puts null where such a variable is left out. */
  readonly needed: readonly string[];
}

/** Undefined for an operation whose compiled form would be wrong, dangerous or not worth it. */
export function compilable(
  selection: Selection,
  operation: OperationDefinitionNode,
  document: DocumentNode,
): Compilable | undefined {
  const { isFixed, isAbstract, isOrdinary, size, fields } = selection;
  if (!isFixed || isAbstract || !isOrdinary || size > fieldsMax) return undefined;
  if (!hasOwnPaths(fields)) return undefined;
  const definitions = operation.variableDefinitions ?? [];
  // The compiler would use its value as a prototype.
  if (definitions.some(({ variable }) => variable.name.value === '__proto__')) return undefined;
  const { isPlain, inObjects } = read(document);
  if (!isPlain) return undefined;
  const mayBeAbsent = definitions.filter(
    ({ type, defaultValue }) => type.kind !== Kind.NON_NULL_TYPE && defaultValue === undefined,
  );
  return {
    needed: mayBeAbsent.map(({ variable }) => variable.name.value).filter((name) => inObjects.has(name)),
  };
}

/**
 * The compiler keeps what it tells a resolver about a field by one name: the path's keys, innermost first, and `idx0`
 * and so on for lists, joined by `_`. True where no two fields share such a name.
 */
function hasOwnPaths(fields: readonly Selected[]): boolean {
  const seen = new Set<string>();
  const isOwn = (selected: Selected, above: string): boolean => {
    if (selected.isMeta) return true;
    const parts = `${selected.key}_${above}`.split('_').filter((part) => !/^idx\d+$/.test(part));
    const path = parts.join('_');
    if (seen.has(path)) return false;
    seen.add(path);
    return selected.children.every((child) => isOwn(child, path));
  };
  return fields.every((field) => isOwn(field, ''));
}

function read(document: DocumentNode): { isPlain: boolean; inObjects: ReadonlySet<string> } {
  let isPlain = true;
  let depth = 0;
  const inObjects = new Set<string>();
  visit(document, {
    StringValue: ({ value }) => {
      isPlain &&= plainText.test(value);
    },
    ObjectValue: {
      enter: () => {
        depth += 1;
      },
      leave: () => {
        depth -= 1;
      },
    },
    Variable: ({ name }) => {
      if (depth > 0) inObjects.add(name.value);
    },
  });
  return { isPlain, inObjects };
}
