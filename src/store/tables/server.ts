import { table, text } from './table.js';

/** Secrets that all servers of a database share. */
export const serverKeys = table(
  'ServerKey',
  'server_keys',
  {
    /** cursors, digests, providers */
    name: text(60),
    value: text(200),
  },
  ['name'],
);
