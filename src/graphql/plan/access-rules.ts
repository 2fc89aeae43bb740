import { visit } from 'graphql';
import type { Allowance } from '../../authority/allowance.js';
import type { Authority } from '../../authority/authority.js';
import { namesPerson } from '../../authority/explain.js';
import type { Scope } from '../../authority/scope.js';
import type { Denied, RuleMap } from '../rules/rule-map.js';
import { argumentsOf, each, type Selected, type Selection } from './selection.js';

type Values = Readonly<Record<string, unknown>>;

/** The coordinates of an operation that one authority lacks, as far as that is known before it runs. */
export interface Access {
  /** In the order of the answer; fields below a denied field are included. */
  readonly denied: ReadonlyMap<Selected, Denied>;
  /** True where an allowed field may still be refused on some rows. */
  readonly looksAtRows: boolean;
  /** True where a coordinate lies outside the ceiling. */
  readonly isHidden: boolean;
}

/** Each entry lives as long as its caller's authority is cached, and there may be many. */
const knownMax = 1_000;

/** Decides every coordinate of one operation, once for all chains with equal terms. */
export class AccessRules {
  private readonly fields: readonly Selected[];
  /** Fields whose inputs come from variables: every request decides them again. */
  private readonly varying: readonly Selected[];
  private readonly literal: ReadonlySet<Selected>;
  /** By allowance; by authority where a refusal names the person. */
  private known = new WeakMap<Allowance | Authority, Access>();
  private knownCount = 0;

  constructor(
    private readonly ruleMap: RuleMap,
    selection: Selection,
  ) {
    this.fields = [...each(selection.fields)].filter((field) => !field.isMeta);
    const scoped = this.fields.filter((field) => hasScopedInputs(ruleMap, field));
    this.varying = scoped.filter(usesVariables);
    this.literal = new Set(scoped.filter((field) => !usesVariables(field)));
  }

  of(authority: Authority, variables: Values): Access {
    const known = this.known.get(authority.allowance) ?? this.known.get(authority) ?? this.decide(authority);
    return this.varying.length === 0 ? known : this.withInputs(known, authority, variables);
  }

  /** The scopes of all fields, and of the inputs that they use. */
  scopes(variables: Values): ReadonlySet<Scope> {
    const withInputs = new Set([...this.literal, ...this.varying]);
    const scopes = this.fields.flatMap((selected) => {
      const values = withInputs.has(selected) ? argumentsOf(selected, variables) : {};
      return this.ruleMap.scopesOf(selected.coordinate, selected.field.args, values);
    });
    return new Set(scopes);
  }

  private decide(authority: Authority): Access {
    const denied = new Map<Selected, Denied>();
    let looksAtRows = false;
    let givesHidden = false;
    for (const selected of this.fields) {
      const { type, coordinate } = selected;
      const refusal =
        this.ruleMap.denies(authority, coordinate) ??
        (this.literal.has(selected) ? this.inputs(authority, selected, {}) : undefined);
      if (refusal !== undefined) denied.set(selected, refusal);
      else looksAtRows ||= this.ruleMap.looksAtRows(authority, type.name, coordinate);
      givesHidden ||= this.ruleMap.mayGiveHidden(authority, selected.field.type);
    }
    const access = {
      denied,
      looksAtRows: looksAtRows || givesHidden,
      isHidden: givesHidden || [...denied.values()].some(isHidden),
    };
    const isPersonal = [...denied.values()].some(({ decision }) => namesPerson(decision));
    this.knownCount += 1;
    if (this.knownCount > knownMax) {
      this.known = new WeakMap();
      this.knownCount = 1;
    }
    this.known.set(isPersonal ? authority : authority.allowance, access);
    return access;
  }

  private withInputs(access: Access, authority: Authority, variables: Values): Access {
    const more = new Map<Selected, Denied>();
    for (const selected of this.varying) {
      const refusal = access.denied.get(selected) ?? this.inputs(authority, selected, variables);
      if (refusal !== undefined) more.set(selected, refusal);
    }
    if (more.size === 0) return access;
    const denied = new Map<Selected, Denied>();
    for (const selected of this.fields) {
      const refusal = more.get(selected) ?? access.denied.get(selected);
      if (refusal !== undefined) denied.set(selected, refusal);
    }
    return { ...access, denied, isHidden: access.isHidden || [...more.values()].some(isHidden) };
  }

  private inputs(authority: Authority, selected: Selected, variables: Values): Denied | undefined {
    const { coordinate, field } = selected;
    return this.ruleMap.deniesInputs(authority, coordinate, field.args, argumentsOf(selected, variables));
  }
}

const isHidden = ({ decision }: Denied): boolean => decision.reason === 'hidden';

/** Whether an input with a scope, or one that holds such an input, is given or has a default. */
function hasScopedInputs(ruleMap: RuleMap, { coordinate, field, nodes }: Selected): boolean {
  const scoped = ruleMap.scopedInputs(coordinate, field.args);
  const given = new Set((nodes[0]?.arguments ?? []).map((argument) => argument.name.value));
  return field.args.some(
    ({ name, defaultValue }) => scoped.has(name) && (given.has(name) || defaultValue !== undefined),
  );
}

/** Whether a field's arguments come through variables. */
export function usesVariables({ nodes }: Selected): boolean {
  let uses = false;
  for (const argument of nodes[0]?.arguments ?? []) {
    visit(argument, {
      Variable: () => {
        uses = true;
      },
    });
  }
  return uses;
}
