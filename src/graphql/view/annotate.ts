import { printSchema, type GraphQLSchema } from 'graphql';
import type { Authority } from '../../authority/authority.js';
import { isNameable } from '../../authority/explain.js';
import { sessionScope, type Scope } from '../../authority/scope.js';
import { Lru } from '../../core/lru.js';
import type { Describe } from './subschema.js';
import { ceilingKey, type Views } from './views.js';

/** Whether a caller may use a scope of its ceiling; `beyond_person`: no task could have it. */
type ScopeState = 'held' | 'missing' | 'needs_approval' | 'beyond_person';
export type ScopeStateOf = (scope: Scope) => ScopeState;

export const scopeStateOf =
  (authority: Authority): ScopeStateOf =>
  (scope) => {
    const decision = authority.decide(scope);
    if (decision.allow) return 'held';
    if (decision.reason === 'needs_approval') return 'needs_approval';
    return isNameable(authority, scope) ? 'missing' : 'beyond_person';
  };

/** For a caller that holds nothing yet, such as an agent without a task. */
export const nothingHeld: ScopeStateOf = (scope) => (scope === sessionScope ? 'held' : 'missing');

const requestable = (scopes: readonly Scope[], needs = 'needs'): string =>
  `Requestable: ${needs} ${scopes.map((scope) => `\`${scope}\``).join(', ')}, not held now.`;

const marks: Record<Exclude<ScopeState, 'held'>, (scope: Scope) => string> = {
  missing: (scope) => requestable([scope]),
  needs_approval: (scope) =>
    `Not usable: \`${scope}\` needs a person's approval, which cannot be asked for yet.`,
  beyond_person: () => beyondPerson,
};
const markInside = 'Requestable: only with scopes not held now.';
/** It names no scope: nobody could hand it over. */
const beyondPerson = 'Not usable: the person for whom you act does not hold what this needs.';

/**
 * The marks of a registered document that names these scopes. What is beyond the person is not marked.
 * @param isUsable whether the document gives something now
 */
export function documentMarks(
  scopes: readonly Scope[],
  stateOf: ScopeStateOf,
  isUsable: boolean,
): readonly string[] {
  const missing = scopes.filter((scope) => stateOf(scope) === 'missing').sort();
  const unapproved = scopes.filter((scope) => stateOf(scope) === 'needs_approval').sort();
  return [
    ...(missing.length === 0 ? [] : [requestable(missing, isUsable ? 'parts of it need' : 'needs')]),
    ...(isUsable ? [] : unapproved.map(marks.needs_approval)),
  ];
}

const isMark = (line: string): boolean => /^(Requestable|Not usable):/.test(line);

/** The marks in a description of a marked view. */
export const marksIn = (description: string): readonly string[] => description.split('\n').filter(isMark);

/** A description of a marked view without its marks. */
export const unmarked = (description: string): string =>
  description
    .split('\n')
    .filter((line) => !isMark(line))
    .join('\n');

/** How many marked schemas are kept; each is a copy of its view. */
const schemasMax = 50;

/**
 * Views whose descriptions mark what is inside the ceiling but not usable now. The types and the answers are those of
 * the view itself.
 */
export class Annotations {
  readonly kept = new Lru<string, GraphQLSchema>(schemasMax);
  private readonly texts = new WeakMap<GraphQLSchema, string>();

  constructor(private readonly views: Views) {}

  /** The schema that answers an operation with introspection in place of the caller's view. */
  schemaFor(view: GraphQLSchema, authority: Authority): GraphQLSchema {
    const { ceiling } = authority;
    const stateOf = scopeStateOf(authority);
    return [...ceiling].every((scope) => stateOf(scope) === 'held') ? view : this.marked(ceiling, stateOf);
  }

  /** The SDL of a ceiling's view, marked. */
  sdl(ceiling: ReadonlySet<Scope>, stateOf: ScopeStateOf): string {
    const schema = this.marked(ceiling, stateOf);
    const known = this.texts.get(schema) ?? `${printSchema(schema)}\n`;
    this.texts.set(schema, known);
    return known;
  }

  /** The view of a ceiling, marked. */
  marked(ceiling: ReadonlySet<Scope>, stateOf: ScopeStateOf): GraphQLSchema {
    const lacking = [...ceiling].filter((scope) => stateOf(scope) !== 'held').sort();
    const key = [ceilingKey(ceiling), ...lacking.map((scope) => `${stateOf(scope)} ${scope}`)].join('\n');
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    const schema = this.views.described(ceiling, this.describe(ceiling, stateOf));
    this.kept.set(key, schema);
    return schema;
  }

  private describe(ceiling: ReadonlySet<Scope>, stateOf: ScopeStateOf): Describe {
    const { scopes } = this.views.policy;
    const reach = (isIn: (state: ScopeState) => boolean) =>
      this.views.reach(new Set([...ceiling].filter((scope) => isIn(stateOf(scope)))));
    const usable = reach((state) => state === 'held');
    const requestable = reach((state) => state !== 'beyond_person');
    const mark = (at: string): string | undefined => {
      const scope = scopes.get(at);
      const state = scope === undefined ? 'held' : stateOf(scope);
      if (scope !== undefined && state !== 'held') return marks[state](scope);
      const [owner, isMember] = ownerOf(at);
      const inside = requestable[isMember ? 'members' : 'types'].has(at) ? markInside : beyondPerson;
      if (!isMember) return usable.types.has(at) ? undefined : inside;
      // One mark is enough where the field, or the whole type, is not usable.
      const isInUse = usable.types.has(owner) || usable.members.has(owner);
      return isInUse && !usable.members.has(at) ? inside : undefined;
    };
    return (at, description) => {
      const added = mark(at);
      return added === undefined ? description : [...(description ? [description] : []), added].join('\n');
    };
  }
}

/**
 * The coordinate that holds another: `Order` for `Order.total`, `Query.order` for `Query.order(id:)`. A type belongs to
 * nothing.
 */
function ownerOf(at: string): [owner: string, isMember: boolean] {
  const end = at.includes('(') ? at.indexOf('(') : at.indexOf('.');
  return end < 0 ? [at, false] : [at.slice(0, end), true];
}
