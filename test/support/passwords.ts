/** Everybody's, in tests that make no passwords. */
export const password = 'correct horse battery staple';
/**
 * Of that password, with the least cost that scrypt has: the parameters stand in the hash. With the cost of
 * `hashPassword` a guess takes a tenth of a second.
 */
export const passwordHash =
  'scrypt$16$8$1$sCCYIwWZwPyDe5XtR-A1qg$Po02600-sp5Ncry-51iUNSkmtjKVRvWqm22QJceDVBk';
