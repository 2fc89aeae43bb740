/** Documents that are small to send and large to run. */

const customerScopes = ['customers:read', 'orders:read', 'tickets:read'];
/** The scopes that a caller needs to send them. */
export const abusiveScopes = [...customerScopes, 'tickets:reply', 'delegations:read'];

/** Fragments over `Customer`, each spreading the next one `width` times behind a page of the default size. */
export function multiplying(levels: number, width: number): string {
  const level = (index: number): string => {
    const inner = index + 1 === levels ? 'id' : `...f${String(index + 1)}`;
    const fields = Array.from(
      { length: width },
      (_, alias) => `a${String(alias)}: orders { nodes { customer { ${inner} } } }`,
    );
    return `fragment f${String(index)} on Customer { ${fields.join(' ')} }`;
  };
  return Array.from({ length: levels }, (_, index) => level(index)).join('\n');
}

/** Fragments that double one another without any page: 2 to the power of `levels` fields. */
export const doubling = (levels: number): string =>
  Array.from({ length: levels }, (_, index) => {
    const inner = index + 1 === levels ? 'id' : `...d${String(index + 1)}`;
    return `fragment d${String(index)} on Delegation { a: parent { ${inner} } b: parent { ${inner} } }`;
  }).join('\n');

/** The same list under many names. */
export const flood = (aliases: number, first: number): string =>
  Array.from(
    { length: aliases },
    (_, index) => `a${String(index)}: customers(first: ${String(first)}) { nodes { id number name } }`,
  ).join(' ');

/** JSON of lists in lists. */
export const nestedLists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
