import { Allowance, type Allowances } from './allowance.js';
import type { Boundaries, DimensionValues } from './boundary.js';
import type { AuthorityLayer, Chain, SignIn, Task } from './chain.js';
import type { Decision } from './decision.js';
import { isAsStrict, strictest, type DocumentPolicy, type DocumentRule } from './documents.js';
import { areRightsWithin, type Rights } from './rights.js';
import type { Scope } from './scope.js';

export interface AuthorityInput {
  readonly chain: Chain;
  readonly task: Task | undefined;
  readonly tokenId: string;
  /** The grant under which the token was issued. Undefined where there is no token. */
  readonly grantId?: string | undefined;
  /** Of a token that a person uses directly. */
  readonly signIn?: SignIn | undefined;
  /** When the token or a delegation of the chain expires, whichever is first. Milliseconds. */
  readonly expiresAt: number;
  /** Version of the rows that this authority was computed from. */
  readonly version: number;
  /** The person first, then each agent with its delegation, in order of acting. */
  readonly layers: readonly AuthorityLayer[];
  readonly tokenScopes: ReadonlySet<Scope>;
  /**
   * The scopes that exist for this caller: those of all roles of the acting agent, or of the person, within the ceiling of
   * its client.
   */
  readonly ceiling: ReadonlySet<Scope>;
  /** The rules of the chain's roles that restrict documents. */
  readonly documentRules?: readonly DocumentRule[];
  /** The smallest of the operation cost limits in the chain's roles. */
  readonly costMax?: number | undefined;
}

/** The effective rights of a chain at one moment: the intersection of all its layers and the token. */
export class Authority {
  readonly chain: Chain;
  readonly task: Task | undefined;
  readonly tokenId: string;
  readonly grantId: string | undefined;
  readonly signIn: SignIn | undefined;
  readonly expiresAt: number;
  readonly version: number;
  readonly layers: readonly AuthorityLayer[];
  /** The basis of all decisions. With `Allowances`, all chains with equal terms share one object. */
  readonly allowance: Allowance;
  readonly documentRules: readonly DocumentRule[];
  /** Which documents may run: the strictest of `documentRules`. */
  readonly documents: DocumentPolicy;
  /** The largest cost of one operation. Undefined where no role limits it. */
  readonly costMax: number | undefined;

  constructor(input: AuthorityInput, allowances?: Allowances) {
    this.chain = input.chain;
    this.task = input.task;
    this.tokenId = input.tokenId;
    this.grantId = input.grantId;
    this.signIn = input.signIn;
    this.expiresAt = input.expiresAt;
    this.version = input.version;
    const terms = { ...input, inPerson: input.chain.agents.length === 0 };
    this.allowance = allowances?.of(terms) ?? new Allowance(terms);
    // Takes rights and approvals from the shared allowance, so that equal ones are in memory once.
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

  /** The intersection of all layers, the token and the ceiling. */
  get rights(): Rights {
    return this.allowance.rights;
  }

  /** Whether the scope is held at all. `boundaries` says where. */
  decide(scope: Scope): Decision {
    return this.allowance.decide(scope);
  }

  allows(scope: Scope): boolean {
    return this.decide(scope).allow;
  }

  /** Where the scope is held; empty where it is not. */
  boundaries(scope: Scope): Boundaries {
    return this.allowance.boundaries(scope);
  }

  /**
   * Whether the scope is held for one row. A denial names the first layer whose own boundary excludes the
   * row.
   */
  decideAt(scope: Scope, values: DimensionValues): Decision {
    return this.allowance.decideAt(scope, values);
  }

  /** Whether a later authority of the same chain still allows and shows everything that this one does. */
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
