import { printSchema, type GraphQLSchema } from 'graphql';
import type { Authority } from '../../authority/authority.js';
import { sessionScope, type Scope } from '../../authority/scope.js';
import { Lru } from '../../core/lru.js';
import type { Describe } from './subschema.js';
import { ceilingKey, type Views } from './views.js';

/** How a caller stands to a scope of its ceiling. */
export type Standing = 'held' | 'missing' | 'needs_approval';
export type StandingOf = (scope: Scope) => Standing;

export const standingOf =
  (authority: Authority): StandingOf =>
  (scope) => {
    const decision = authority.decide(scope);
    if (decision.allow) return 'held';
    return decision.reason === 'needs_approval' ? 'needs_approval' : 'missing';
  };

/** Of somebody who holds nothing yet, such as an agent without a task. */
export const nothingHeld: StandingOf = (scope) => (scope === sessionScope ? 'held' : 'missing');

const marks: Record<Exclude<Standing, 'held'>, (scope: Scope) => string> = {
  missing: (scope) => `Requestable: needs \`${scope}\`, not held now.`,
  needs_approval: (scope) =>
    `Not usable: \`${scope}\` needs a person's approval, which cannot be asked for yet.`,
};
const markInside = 'Requestable: only with scopes not held now.';

/** How many marked schemas are kept; each is a copy of its view. */
const schemasMax = 50;

/**
 * Views whose descriptions say what is inside the ceiling and not usable now. What exists, and what is answered,
 * is the same as in the view itself.
 */
export class Annotations {
  readonly kept = new Lru<string, GraphQLSchema>(schemasMax);
  private readonly texts = new WeakMap<GraphQLSchema, string>();

  constructor(private readonly views: Views) {}

  /** What an operation that selects introspection runs on in place of the caller's view. */
  schemaFor(view: GraphQLSchema, authority: Authority): GraphQLSchema {
    const { ceiling } = authority;
    const standing = standingOf(authority);
    return [...ceiling].every((scope) => standing(scope) === 'held') ? view : this.marked(ceiling, standing);
  }

  /** The SDL of a ceiling's view, marked. */
  sdl(ceiling: ReadonlySet<Scope>, standing: StandingOf): string {
    const schema = this.marked(ceiling, standing);
    const known = this.texts.get(schema) ?? `${printSchema(schema)}\n`;
    this.texts.set(schema, known);
    return known;
  }

  private marked(ceiling: ReadonlySet<Scope>, standing: StandingOf): GraphQLSchema {
    const lacking = [...ceiling].filter((scope) => standing(scope) !== 'held').sort();
    const key = [ceilingKey(ceiling), ...lacking.map((scope) => `${standing(scope)} ${scope}`)].join('\n');
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    const schema = this.views.described(ceiling, this.describe(ceiling, standing));
    this.kept.set(key, schema);
    return schema;
  }

  private describe(ceiling: ReadonlySet<Scope>, standing: StandingOf): Describe {
    const { scopes } = this.views.coverage;
    const usable = this.views.reach(new Set([...ceiling].filter((scope) => standing(scope) === 'held')));
    const mark = (at: string): string | undefined => {
      const scope = scopes.get(at);
      const state = scope === undefined ? 'held' : standing(scope);
      if (scope !== undefined && state !== 'held') return marks[state](scope);
      const [owner, isMember] = ownerOf(at);
      if (!isMember) return usable.types.has(at) ? undefined : markInside;
      // One mark is enough where the field, or all of the type, is out of use.
      const isInUse = usable.types.has(owner) || usable.members.has(owner);
      return isInUse && !usable.members.has(at) ? markInside : undefined;
    };
    return (at, description) => {
      const added = mark(at);
      return added === undefined ? description : [...(description ? [description] : []), added].join('\n');
    };
  }
}

/** `Order` of `Order.total`, `Query.order` of `Query.order(id:)`; a type is no member of anything. */
function ownerOf(at: string): [owner: string, isMember: boolean] {
  const end = at.includes('(') ? at.indexOf('(') : at.indexOf('.');
  return end < 0 ? [at, false] : [at.slice(0, end), true];
}
