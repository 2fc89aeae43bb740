'use strict';
// Loads better-sqlite3's binary from BEHALF_TEST_SQLITE_BINARY: the installed one fits one version of Node only.
const load = process.dlopen;
process.dlopen = function dlopen(module, path, ...flags) {
  const binary = path.endsWith('better_sqlite3.node') ? process.env.BEHALF_TEST_SQLITE_BINARY : path;
  return load.call(process, module, binary, ...flags);
};
