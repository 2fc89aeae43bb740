import { isInside, type Boundaries, type Place } from './boundary.js';
import type { AuthorityLayer, Chain, Task } from './chain.js';
import { isAsStrict, strictest, type DocumentPolicy, type DocumentRule } from './documents.js';
import { areRightsWithin, intersectRights, restrict, type Rights } from './rights.js';
import { sessionScope, type Scope } from './scope.js';
import type { Layer } from '../core/errors.js';

/** Allow, or deny with the reason: a structure, so that each reader words it as it needs. */
export type Decision =
  | { readonly allow: true }
  | { readonly allow: false; readonly reason: Denial; readonly scope: Scope; readonly layer: Layer };
export type Denial = 'hidden' | 'missing_scope' | 'outside_boundary' | 'needs_approval';

export interface AuthorityInput {
  readonly chain: Chain;
  readonly task: Task | undefined;
  readonly tokenId: string;
  /** When the token or a delegation of the chain ends by itself, whichever is first. Milliseconds. */
  readonly expiresAt: number;
  /** Version of the rows that this authority was computed from. */
  readonly version: number;
  /** The person first, then each agent with its delegation, in order of acting. */
  readonly layers: readonly AuthorityLayer[];
  readonly tokenScopes: ReadonlySet<Scope>;
  /** What exists for this caller: scopes of all roles of the acting agent, or of the person. */
  readonly ceiling: ReadonlySet<Scope>;
  /** Roles of the chain that do not simply run any document. */
  readonly documentRules?: readonly DocumentRule[];
  /** The largest cost of one operation that the roles of the chain set. */
  readonly costMax?: number | undefined;
}

/** The effective rights of a chain at one moment: the intersection of all its layers and the token. */
export class Authority {
  readonly chain: Chain;
  readonly task: Task | undefined;
  readonly tokenId: string;
  readonly expiresAt: number;
  readonly version: number;
  readonly layers: readonly AuthorityLayer[];
  readonly tokenScopes: ReadonlySet<Scope>;
  readonly ceiling: ReadonlySet<Scope>;
  /** What remains when every layer has had its say; approvals not counted. */
  readonly rights: Rights;
  readonly documentRules: readonly DocumentRule[];
  /** Which documents may run: the strictest of `documentRules`. */
  readonly documents: DocumentPolicy;
  /** The largest cost of one operation; undefined where no role sets one. */
  readonly costMax: number | undefined;
  /** Made when they are first asked for. */
  private readonly decisions = new Map<Scope, Decision>();

  constructor(input: AuthorityInput) {
    this.chain = input.chain;
    this.task = input.task;
    this.tokenId = input.tokenId;
    this.expiresAt = input.expiresAt;
    this.version = input.version;
    this.layers = input.layers;
    this.tokenScopes = input.tokenScopes;
    this.ceiling = new Set([...input.ceiling, sessionScope]);
    this.documentRules = input.documentRules ?? [];
    this.documents = strictest(this.documentRules);
    this.costMax = input.costMax;
    const [first, ...others] = input.layers;
    const all = others.reduce(
      (rights, layer) => intersectRights(rights, layer.rights),
      first?.rights ?? new Map(),
    );
    const held = new Map([...restrict(all, input.tokenScopes)].filter(([scope]) => this.ceiling.has(scope)));
    this.rights = held.set(sessionScope, []);
  }

  /** Whether the scope is held at all; where it holds is `boundaries`. */
  decide(scope: Scope): Decision {
    const decision = this.decisions.get(scope) ?? this.work(scope);
    this.decisions.set(scope, decision);
    return decision;
  }

  private work(scope: Scope): Decision {
    if (scope === sessionScope) return { allow: true };
    const personLayer = this.layers[0]?.layer ?? 'person';
    if (!this.ceiling.has(scope)) {
      return {
        allow: false,
        reason: 'hidden',
        scope,
        layer: this.chain.agents.length === 0 ? personLayer : 'agent',
      };
    }
    for (const layer of this.layers) {
      if (!layer.rights.has(scope))
        return { allow: false, reason: 'missing_scope', scope, layer: layer.layer };
    }
    if (!this.tokenScopes.has(scope)) return { allow: false, reason: 'missing_scope', scope, layer: 'token' };
    const approval = this.layers.find((layer) => layer.needsApproval.has(scope));
    if (approval !== undefined)
      return { allow: false, reason: 'needs_approval', scope, layer: approval.layer };
    return { allow: true };
  }

  allows(scope: Scope): boolean {
    return this.decide(scope).allow;
  }

  /** Where the scope holds; empty where it does not. */
  boundaries(scope: Scope): Boundaries {
    return this.allows(scope) ? (this.rights.get(scope) ?? []) : [];
  }

  /** Whether the scope holds for one row. The layer told is the first whose own boundary excludes the row. */
  decideAt(scope: Scope, place: Place): Decision {
    const decision = this.decide(scope);
    if (!decision.allow || scope === sessionScope || isInside(this.boundaries(scope), place)) return decision;
    const outside = this.layers.find((layer) => !isInside(layer.rights.get(scope) ?? [], place));
    return { allow: false, reason: 'outside_boundary', scope, layer: outside?.layer ?? 'delegation' };
  }

  /** True when all that this authority allows is still allowed by a later one of the same chain. */
  isWithin(later: Authority): boolean {
    const mine = new Map([...this.rights].filter(([scope]) => this.allows(scope)));
    const theirs = new Map([...later.rights].filter(([scope]) => later.allows(scope)));
    return (
      areRightsWithin(mine, theirs) &&
      isAsStrict(this.documents, later.documents) &&
      (later.costMax ?? Infinity) >= (this.costMax ?? Infinity)
    );
  }
}
