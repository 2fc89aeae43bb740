/** A fault in the authority that the SDL declares at one coordinate. */
export type PolicyFault = { readonly coordinate: string } & (
  | { readonly kind: 'no scope' }
  | { readonly kind: 'undefined scope'; readonly scope: string }
  | { readonly kind: 'unknown dimension'; readonly dimension: string }
  /** A row type that says nothing about these dimensions, or two different things. */
  | { readonly kind: 'undecided'; readonly dimensions: readonly string[] }
  /** A non-null field: its refusal could not be told to the caller. */
  | { readonly kind: 'not nullable' }
  | { readonly kind: 'other'; readonly message: string }
);

/** The coordinate, and what is wrong with it: a sentence without its full stop. */
export const policyFaultText = (fault: PolicyFault): string => `${fault.coordinate} ${messageOf(fault)}`;

function messageOf(fault: PolicyFault): string {
  switch (fault.kind) {
    case 'no scope':
      return 'has no @scope';
    case 'undefined scope':
      return `names an undefined scope: ${fault.scope}`;
    case 'unknown dimension':
      return `names an unknown dimension: ${fault.dimension}`;
    case 'undecided':
      return `must either bound or name as unbounded: ${fault.dimensions.join(', ')}`;
    case 'not nullable':
      return 'must be nullable: a caller may lack its scope';
    case 'other':
      return fault.message;
  }
}
