/** Marks what `defineDomain` has made, also where a company has a copy of the package of its own. */
export const domainMark = Symbol.for('behalf.domain');
