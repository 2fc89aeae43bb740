'use strict';
// Loads the SQLite driver from BEHALF_TEST_SQLITE: the installed one fits one version of Node only.
const Module = require('node:module');

const home = process.env.BEHALF_TEST_SQLITE;
const resolve = Module._resolveFilename;
Module._resolveFilename = function resolveFilename(request, ...rest) {
  const isDriver = request === 'better-sqlite3' || request === 'better-sqlite3-napi';
  return resolve.call(this, isDriver ? home : request, ...rest);
};
