import type { Layer } from '../core/errors.js';

/** From the freest to the strictest: any document, any with a note in the record, registered ones only. */
const policies = ['any', 'logged', 'registered'] as const;
export type DocumentPolicy = (typeof policies)[number];

/** A role of a chain that does not simply run any document. */
export interface DocumentRule {
  readonly layer: Layer;
  /** The role's name. */
  readonly role: string;
  readonly policy: Exclude<DocumentPolicy, 'any'>;
}

/** As a role stores it. What is not known is the strictest: nobody can have meant less. */
export const parsePolicy = (stored: string): DocumentPolicy =>
  policies.find((policy) => policy === stored) ?? 'registered';

const strictness = (policy: DocumentPolicy): number => policies.indexOf(policy);

export const isAsStrict = (policy: DocumentPolicy, other: DocumentPolicy): boolean =>
  strictness(policy) >= strictness(other);

/**
 * What one layer's roles ask for. A person's roles all count, however many there are: what a role allows only by
 * registered documents is not set free by holding another role, and which role a document draws on is not known
 * before it is read.
 */
export const rulesOf = (
  layer: Layer,
  roles: readonly { readonly name: string; readonly documents: string }[],
): DocumentRule[] =>
  roles.flatMap(({ name: role, documents }) => {
    const policy = parsePolicy(documents);
    return policy === 'any' ? [] : [{ layer, role, policy }];
  });

/** The strictest of all. */
export const strictest = (rules: readonly DocumentRule[]): DocumentPolicy =>
  rules.reduce<DocumentPolicy>((found, { policy }) => (isAsStrict(found, policy) ? found : policy), 'any');
