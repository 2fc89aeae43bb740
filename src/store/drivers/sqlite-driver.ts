import { createRequire } from 'node:module';
import type Driver from 'better-sqlite3';

type Package = 'better-sqlite3' | 'better-sqlite3-napi';

/**
 * Version 12 of better-sqlite3 is the last one for Node 20. From Node 24.19 on, the process aborts when one
 * of its statements is garbage-collected: its destructor removes a hook of an environment that has not been
 * entered. Version 13 has no such destructor and needs Node 22, so npm installs it, under another name, only
 * there.
 */
export function sqlitePackage(nodeVersion: string): Package {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 19) ? 'better-sqlite3-napi' : 'better-sqlite3';
}

const load = createRequire(import.meta.url);

/** The driver for this version of Node. It is loaded with the first database. */
export function sqliteDriver(name: Package = sqlitePackage(process.versions.node)): typeof Driver {
  try {
    return load(name) as typeof Driver;
  } catch (error) {
    const { node } = process.versions;
    throw new Error(
      `SQLite needs the package ${name} on Node ${node}: run \`npm ci\` with this version of Node.`,
      {
        cause: error,
      },
    );
  }
}
