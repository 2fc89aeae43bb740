import { Kind, parse, print, visit } from 'graphql';
import { importOf, ownDist } from '../paths.mjs';

const ours = new Set(['scope', 'plain', 'rows', 'personal', 'defineScope', 'defineDimension']);

const { readSchemaParts } = await importOf(ownDist, 'src/graphql/schema/sdl.js');
const whole = () => parse(readSchemaParts('business', 'knowledge').sdl);

const scopeOf = (field) =>
  field.directives
    ?.find(({ name }) => name.value === 'scope')
    ?.arguments.find(({ name }) => name.value === 'name').value.value;

/**
 * The SDL of the business and the knowledge base without the directives that only Behalf reads. `mark` gives the
 * text of the directive that a field with a scope carries instead.
 */
export function plainSdl(mark = () => '') {
  const enforced = visit(whole(), {
    FieldDefinition: {
      leave: (field, _key, _parent, _path, ancestors) => {
        const scope =
          ancestors.at(-1)?.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION ? undefined : scopeOf(field);
        const text = scope === undefined ? '' : mark(scope);
        const directives =
          text === '' ? [] : parse(`type T { f: Int ${text} }`).definitions[0].fields[0].directives;
        return { ...field, directives };
      },
    },
    InputValueDefinition: (value) => ({ ...value, directives: [] }),
    ObjectTypeDefinition: (type) => ({ ...type, directives: [] }),
    InputObjectTypeDefinition: (type) => ({
      ...type,
      directives: type.directives.filter(({ name }) => !ours.has(name.value)),
    }),
    SchemaDefinition: () => null,
    SchemaExtension: () => null,
    DirectiveDefinition: () => null,
  });
  // What stood beside the directives that are gone.
  return print(
    visit(enforced, {
      InputObjectTypeDefinition: (type) => (type.name.value === 'Bound' ? null : undefined),
    }),
  );
}

/** The scope of each field of each object type. */
export function scopesByField() {
  const scopes = {};
  visit(whole(), {
    ObjectTypeDefinition: collect,
    ObjectTypeExtension: collect,
  });
  function collect(type) {
    const fields = (scopes[type.name.value] ??= {});
    for (const field of type.fields ?? []) fields[field.name.value] = scopeOf(field);
  }
  return scopes;
}
