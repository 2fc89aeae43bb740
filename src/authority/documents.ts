import type { Layer } from '../core/errors.js';

/**
 * From the least to the most strict: any document, any document with a note in the record, registered
 * documents only.
 */
const policies = ['any', 'logged', 'registered'] as const;
export type DocumentPolicy = (typeof policies)[number];

/** A role of a chain that restricts documents. */
export interface DocumentRule {
  readonly layer: Layer;
  /** The role's name. */
  readonly role: string;
  readonly policy: Exclude<DocumentPolicy, 'any'>;
}

/** Parses the stored policy of a role. An unknown value counts as the strictest policy. */
export const parsePolicy = (stored: string): DocumentPolicy =>
  policies.find((policy) => policy === stored) ?? 'registered';

const strictness = (policy: DocumentPolicy): number => policies.indexOf(policy);

export const isAsStrict = (policy: DocumentPolicy, other: DocumentPolicy): boolean =>
  strictness(policy) >= strictness(other);

/**
 * The document rules of one layer's roles. All roles of a person count: a role's requirement of registered
 * documents is not lifted by another role, because the roles that a document needs are unknown before it is
 * read.
 */
export const rulesOf = (
  layer: Layer,
  roles: readonly { readonly name: string; readonly documents: string }[],
): DocumentRule[] =>
  roles.flatMap(({ name: role, documents }) => {
    const policy = parsePolicy(documents);
    return policy === 'any' ? [] : [{ layer, role, policy }];
  });

/** The strictest policy of all rules. */
export const strictest = (rules: readonly DocumentRule[]): DocumentPolicy =>
  rules.reduce<DocumentPolicy>((found, { policy }) => (isAsStrict(found, policy) ? found : policy), 'any');
