import { sha256 } from '../core/digest.js';
import { Lru, type CacheState } from '../core/lru.js';
import type { Decision } from './decision.js';
import { isInside, type Boundaries, type Boundary, type DimensionValues } from './boundary.js';
import type { AuthorityLayer } from './chain.js';
import { intersectRights, restrict, type Rights } from './rights.js';
import { sessionScope, type Scope } from './scope.js';

/** Everything that decisions depend on. The identities of person and agents are not part of it. */
export interface Terms {
  /** The person first, then each agent with its delegation, in order of acting. */
  readonly layers: readonly Omit<AuthorityLayer, 'id'>[];
  readonly tokenScopes: ReadonlySet<Scope>;
  readonly ceiling: ReadonlySet<Scope>;
  /** Whether the person acts without an agent. */
  readonly inPerson: boolean;
}

const nowhere: Boundaries = [];
const none: ReadonlySet<Scope> = new Set();

/** The decisions under one set of terms. All authorities with equal terms share it. */
export class Allowance implements Terms {
  readonly layers: Terms['layers'];
  readonly tokenScopes: ReadonlySet<Scope>;
  readonly ceiling: ReadonlySet<Scope>;
  readonly inPerson: boolean;
  /** The intersection of all layers, the token and the ceiling. */
  readonly rights: Rights;
  /** Filled on first use. */
  private readonly decisions = new Map<Scope, Decision>();

  /** @param shared returns one shared object for equal boundaries */
  constructor(terms: Terms, shared: (boundaries: Boundaries) => Boundaries = (boundaries) => boundaries) {
    this.layers = terms.layers.map(({ layer, rights, needsApproval, needsPasskey = none }) => ({
      ...{ layer, rights, needsApproval, needsPasskey },
    }));
    this.tokenScopes = terms.tokenScopes;
    this.ceiling = new Set([...terms.ceiling, sessionScope]);
    this.inPerson = terms.inPerson;
    const [first, ...others] = terms.layers;
    const all = others.reduce(
      (rights, layer) => intersectRights(rights, layer.rights),
      first?.rights ?? new Map<Scope, Boundaries>(),
    );
    const held = [...restrict(all, terms.tokenScopes)].filter(([scope]) => this.ceiling.has(scope));
    this.rights = new Map(
      held.map(([scope, boundaries]): [Scope, Boundaries] => [scope, shared(boundaries)]),
    ).set(sessionScope, nowhere);
  }

  /** Whether the scope is held at all. `boundaries` says where. */
  decide(scope: Scope): Decision {
    const decision = this.decisions.get(scope) ?? this.compute(scope);
    this.decisions.set(scope, decision);
    return decision;
  }

  private compute(scope: Scope): Decision {
    if (scope === sessionScope) return { allow: true };
    const personLayer = this.layers[0]?.layer ?? 'person';
    if (!this.ceiling.has(scope)) {
      return { allow: false, reason: 'hidden', scope, layer: this.inPerson ? personLayer : 'agent' };
    }
    for (const { layer, rights, needsApproval, needsPasskey = none } of this.layers) {
      if (rights.has(scope) || needsApproval.has(scope)) continue;
      const reason = needsPasskey.has(scope) ? 'needs_passkey' : 'missing_scope';
      return { allow: false, reason, scope, layer };
    }
    if (!this.tokenScopes.has(scope)) return { allow: false, reason: 'missing_scope', scope, layer: 'token' };
    const approval = this.layers.find((layer) => layer.needsApproval.has(scope));
    if (approval !== undefined)
      return { allow: false, reason: 'needs_approval', scope, layer: approval.layer };
    return { allow: true };
  }

  /** Where the scope is held; empty where it is not. */
  boundaries(scope: Scope): Boundaries {
    return this.decide(scope).allow ? (this.rights.get(scope) ?? nowhere) : nowhere;
  }

  /**
   * Whether the scope is held for one row. A denial names the first layer whose own boundary excludes the
   * row.
   */
  decideAt(scope: Scope, values: DimensionValues): Decision {
    const decision = this.decide(scope);
    if (!decision.allow || scope === sessionScope || isInside(this.boundaries(scope), values))
      return decision;
    const outside = this.layers.find((layer) => !isInside(layer.rights.get(scope) ?? [], values));
    return { allow: false, reason: 'outside_boundary', scope, layer: outside?.layer ?? 'delegation' };
  }
}

const keptMax = 10_000;

/** Caches allowances by their terms, so that decisions for one agent of a role serve the others. */
export class Allowances {
  private readonly kept = new Lru<string, Allowance>(keptMax);
  private readonly boundaries = new Lru<string, Boundaries>(keptMax);

  get caches(): Readonly<Record<string, CacheState>> {
    return { allowances: this.kept, boundaries: this.boundaries };
  }

  of(terms: Terms): Allowance {
    const key = sha256(textOfTerms(terms));
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    const made = new Allowance(terms, (boundaries) => this.shared(boundaries));
    this.kept.set(key, made);
    return made;
  }

  private shared(boundaries: Boundaries): Boundaries {
    const key = sha256(JSON.stringify(boundaries.map(valuesOf)));
    const known = this.boundaries.get(key) ?? boundaries;
    this.boundaries.set(key, known);
    return known;
  }
}

const valuesOf = (boundary: Boundary): unknown =>
  [...boundary].map(([dimension, set]) => [dimension, set === 'all' ? set : [...set]]);

/**
 * The cache key. Two authorities with the same terms in the same order share one key. The same terms in
 * another order miss the cache; that costs time, never correctness.
 */
function textOfTerms({ layers, tokenScopes, ceiling, inPerson }: Terms): string {
  // Most scopes of a layer share one boundary, so each boundary is written once and referred to by its
  // number.
  const indexes = new Map<Boundary, number>();
  const indexOf = (boundary: Boundary): number => {
    const index = indexes.get(boundary) ?? indexes.size;
    indexes.set(boundary, index);
    return index;
  };
  const layersText = layers.map(({ layer, rights, needsApproval, needsPasskey = none }) => [
    layer,
    [...rights].map(([scope, boundaries]) => [scope, boundaries.map(indexOf)]),
    [...needsApproval],
    [...needsPasskey],
  ]);
  const boundaries = [...indexes.keys()].map(valuesOf);
  return JSON.stringify([inPerson, [...tokenScopes], [...ceiling], layersText, boundaries]);
}
