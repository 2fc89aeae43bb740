import { Allowance, type Allowances } from './allowance.js';
import type { Boundaries, DimensionValues } from './boundary.js';
import type { AuthorityLayer, Chain, Task } from './chain.js';
import type { Decision } from './decision.js';
import { isAsStrict, strictest, type DocumentPolicy, type DocumentRule } from './documents.js';
import { areRightsWithin, type Rights } from './rights.js';
import type { Scope } from './scope.js';

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
  /** What decisions rest on; with `Allowances` the same object for all chains on equal terms. */
  readonly allowance: Allowance;
  readonly documentRules: readonly DocumentRule[];
  /** Which documents may run: the strictest of `documentRules`. */
  readonly documents: DocumentPolicy;
  /** The largest cost of one operation; undefined where no role sets one. */
  readonly costMax: number | undefined;

  constructor(input: AuthorityInput, allowances?: Allowances) {
    this.chain = input.chain;
    this.task = input.task;
    this.tokenId = input.tokenId;
    this.expiresAt = input.expiresAt;
    this.version = input.version;
    const terms = { ...input, inPerson: input.chain.agents.length === 0 };
    this.allowance = allowances?.of(terms) ?? new Allowance(terms);
    // What equals it need not be held twice.
    this.layers = input.layers.map((layer, at) => ({ ...layer, ...this.allowance.layers[at] }));
    this.documentRules = input.documentRules ?? [];
    this.documents = strictest(this.documentRules);
    this.costMax = input.costMax;
  }

  get tokenScopes(): ReadonlySet<Scope> {
    return this.allowance.tokenScopes;
  }

  get ceiling(): ReadonlySet<Scope> {
    return this.allowance.ceiling;
  }

  /** What remains when every layer has had its say. */
  get rights(): Rights {
    return this.allowance.rights;
  }

  /** Whether the scope is held at all; where it holds is `boundaries`. */
  decide(scope: Scope): Decision {
    return this.allowance.decide(scope);
  }

  allows(scope: Scope): boolean {
    return this.decide(scope).allow;
  }

  /** Where the scope holds; empty where it does not. */
  boundaries(scope: Scope): Boundaries {
    return this.allowance.boundaries(scope);
  }

  /** Whether the scope holds for one row. The layer told is the first whose own boundary excludes the row. */
  decideAt(scope: Scope, values: DimensionValues): Decision {
    return this.allowance.decideAt(scope, values);
  }

  /** True when all that this authority allows and sees is still allowed and seen by a later one of the same chain. */
  isWithin(later: Authority): boolean {
    const mine = new Map([...this.rights].filter(([scope]) => this.allows(scope)));
    const theirs = new Map([...later.rights].filter(([scope]) => later.allows(scope)));
    return (
      areRightsWithin(mine, theirs) &&
      [...this.ceiling].every((scope) => later.ceiling.has(scope)) &&
      isAsStrict(this.documents, later.documents) &&
      (later.costMax ?? Infinity) >= (this.costMax ?? Infinity)
    );
  }
}
