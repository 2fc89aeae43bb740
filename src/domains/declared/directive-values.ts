import { GraphQLError, Kind, type ASTNode, type ConstDirectiveNode } from 'graphql';
import type { MappingDirectives, SdlFaults, Values } from './sdl-files.js';

interface Annotated {
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}

/** The arguments of mapping directives. Faulty ones are left out, because the check of directives has reported them. */
export class DirectiveValues {
  constructor(private readonly mapping: MappingDirectives) {}

  /** The arguments of a directive. Undefined where it is not there. */
  one(name: string, node: Annotated): Values | undefined {
    return this.all(name, node)[0];
  }

  all(name: string, node: Annotated): Values[] {
    const found = (node.directives ?? []).filter((directive) => directive.name.value === name);
    return found.flatMap((directive) => {
      try {
        return [this.mapping.values(directive)];
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
        return [];
      }
    });
  }
}

/** The directive of this name, as it is written. */
export const said = (name: string, { directives = [] }: Annotated): ConstDirectiveNode | undefined =>
  directives.find((directive) => directive.name.value === name);

/** The paths of `@rows(bounds:)`, as far as they are texts. */
export function pathsIn(rows: ConstDirectiveNode | undefined): string[] {
  const bounds = rows?.arguments?.find(({ name }) => name.value === 'bounds')?.value;
  const list = bounds?.kind === Kind.LIST ? bounds.values : bounds === undefined ? [] : [bounds];
  return list.flatMap((bound) => {
    const path =
      bound.kind === Kind.OBJECT ? bound.fields.find(({ name }) => name.value === 'path')?.value : undefined;
    return path?.kind === Kind.STRING ? [path.value] : [];
  });
}

/** A text in a directive's arguments. */
export function textIn(argument: string, directive: ConstDirectiveNode | undefined): string | undefined {
  const value = directive?.arguments?.find(({ name }) => name.value === argument)?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}

/**
 * A name in the arguments of a directive. Reports a name that GraphQL does not take and returns undefined, because SDL
 * with that name could not be read.
 */
export function checkedName(node: ASTNode, name: string | undefined, faults: SdlFaults): string | undefined {
  if (name === undefined || isName(name)) return name;
  faults.add(node, `${JSON.stringify(name)} is no name: letters, digits and _.`);
  return undefined;
}

/** Whether GraphQL takes a text for a name. */
export const isName = (text: string): boolean => /^[A-Za-z_]\w*$/.test(text);
