/**
 * The environment that a child process needs to run on the Node and with the SQLite driver of this run (`npm run
 * test:nodes`).
 */
export const ofThisNode = (): Record<string, string> =>
  Object.fromEntries(
    ['NODE_OPTIONS', 'BEHALF_TEST_SQLITE'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
