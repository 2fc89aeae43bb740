import {
  Kind,
  parse,
  print,
  visit,
  type ConstDirectiveNode,
  type DefinitionNode,
  type FieldDefinitionNode,
} from 'graphql';
import type { AppParts } from '../../src/app.js';
import { installedDomains } from './installed.js';

/**
 * The parts of a server in which only these coordinates ever existed: its answer about any other is the right answer
 * about a hidden one.
 */
export function partsOf(sdl: string, coordinates: ReadonlySet<string>): AppParts & { readonly sdl: string } {
  return {
    sdl: sdlOf(sdl, coordinates),
    domains: installedDomains().map((domain) => ({
      ...domain,
      resolvers: Object.fromEntries(
        Object.entries(domain.resolvers).flatMap(([type, fields]) => {
          const left = Object.entries(fields).filter(([field]) => coordinates.has(`${type}.${field}`));
          return left.length === 0 ? [] : [[type, Object.fromEntries(left)]];
        }),
      ),
    })),
  };
}

/** The SDL with its directives, reduced to these coordinates. */
export function sdlOf(sdl: string, coordinates: ReadonlySet<string>): string {
  const types = new Set([...coordinates].map((one) => one.split('.')[0] ?? ''));
  const fieldOf = (type: string, field: FieldDefinitionNode): FieldDefinitionNode[] => {
    const at = `${type}.${field.name.value}`;
    const args = field.arguments?.filter((arg) => coordinates.has(`${at}(${arg.name.value}:)`));
    return coordinates.has(at) ? [{ ...field, arguments: args ?? [] }] : [];
  };
  const definitions = parse(sdl).definitions.flatMap((node): DefinitionNode[] => {
    switch (node.kind) {
      case Kind.OBJECT_TYPE_DEFINITION:
      case Kind.OBJECT_TYPE_EXTENSION: {
        const fields = (node.fields ?? []).flatMap((field) => fieldOf(node.name.value, field));
        // The mutations themselves are extensions of a type without fields.
        const isLeft =
          node.kind === Kind.OBJECT_TYPE_DEFINITION ? types.has(node.name.value) : fields.length > 0;
        return isLeft ? [{ ...node, fields }] : [];
      }
      case Kind.INPUT_OBJECT_TYPE_DEFINITION: {
        if (node.name.value === 'Bound') return [node];
        const fields = node.fields?.filter((field) =>
          coordinates.has(`${node.name.value}.${field.name.value}`),
        );
        return fields === undefined || fields.length === 0 ? [] : [{ ...node, fields }];
      }
      case Kind.ENUM_TYPE_DEFINITION: {
        const values = node.values?.filter((value) =>
          coordinates.has(`${node.name.value}.${value.name.value}`),
        );
        return values === undefined || values.length === 0 ? [] : [{ ...node, values }];
      }
      default:
        return [node];
    }
  });
  return print(
    visit({ kind: Kind.DOCUMENT, definitions } as const, {
      Directive: (node) => withoutTargets(node as ConstDirectiveNode, coordinates),
    }),
  );
}

/** A `@writes` with only the remaining fields. */
function withoutTargets(
  directive: ConstDirectiveNode,
  coordinates: ReadonlySet<string>,
): ConstDirectiveNode | null | undefined {
  const [fields] = directive.arguments ?? [];
  if (directive.name.value !== 'writes' || fields?.value.kind !== Kind.LIST) return undefined;
  const values = fields.value.values.filter(
    (value) => value.kind === Kind.STRING && coordinates.has(value.value),
  );
  if (values.length === 0) return null;
  return { ...directive, arguments: [{ ...fields, value: { ...fields.value, values } }] };
}
