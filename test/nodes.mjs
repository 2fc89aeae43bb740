// Runs the tests under other versions of Node, taken from the npm package `node`: `npm run test:nodes [22 24]`.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { sqlitePackage } from '../dist/src/store/drivers/sqlite-driver.js';

const root = join(import.meta.dirname, '..');
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'behalf-nodes');
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24'];

const outcomes = [];
for (const version of versions) outcomes.push(...(await testUnder(version)));
console.log(`\n${outcomes.map(({ text }) => text).join('\n')}`);
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;

async function testUnder(version) {
  const node = await installNode(version);
  if (node.error !== undefined)
    return [{ passed: false, text: `Node ${version}: not installed. ${node.error}` }];
  const sqlite = await installSqlite(version, node);
  const databases = sqlite.error === undefined ? 'sqlite,mariadb' : 'mariadb';
  console.log(`\nNode ${node.version}: tests on ${databases}`);
  const code = await run(node.binary, [join(root, 'node_modules/vitest/vitest.mjs'), 'run'], root, {
    ...node.env,
    ...sqlite.env,
    BEHALF_TEST_DATABASES: databases,
    BEHALF_TEST_REQUIRE_DATABASES: '1',
  });
  const passed = code === 0;
  const outcome = { passed, text: `Node ${node.version}, ${databases}: ${passed ? 'passed' : 'FAILED'}` };
  if (sqlite.error === undefined) return [outcome];
  return [outcome, { passed: true, text: `Node ${node.version}, sqlite: left out. ${sqlite.error}` }];
}

async function installNode(version) {
  const folder = join(cache, version);
  const home = join(folder, 'node_modules/node');
  const binary = join(home, 'bin/node');
  if (!existsSync(binary)) {
    console.log(`Node ${version}: installing into ${folder}`);
    await install(folder, 'node', version, {});
  }
  const check = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  if (check.status !== 0) return { error: `${binary} does not run.` };
  // The platform's own package lies inside; with its headers an addon can be compiled without fetching any.
  const packages = join(home, 'node_modules');
  const headers = existsSync(packages)
    ? readdirSync(packages)
        .map((name) => join(packages, name))
        .find((path) => existsSync(join(path, 'include/node/node.h')))
    : undefined;
  return {
    binary,
    version: check.stdout.trim().slice(1),
    env: {
      PATH: `${dirname(binary)}${delimiter}${process.env.PATH}`,
      ...(headers && { npm_config_nodedir: headers }),
    },
  };
}

async function installSqlite(version, node) {
  const name = sqlitePackage(node.version);
  const wanted =
    name === 'better-sqlite3'
      ? packageOf('node_modules/better-sqlite3').version
      : packageOf('.').optionalDependencies[name];
  const folder = join(cache, `${version}-${name}-${wanted.replaceAll(/[^\w.]+/g, '-')}`);
  const home = join(folder, 'node_modules', name);
  const loads = () =>
    spawnSync(node.binary, ['-e', `new (require(${JSON.stringify(home)}))(':memory:')`]).status === 0;
  if (!loads()) {
    console.log(
      `Node ${node.version}: installing ${name} ${wanted}, compiled where need be (a minute or two)`,
    );
    await install(folder, name, wanted, node.env);
  }
  if (!loads()) return { error: `${name} ${wanted} could not be fetched or compiled for it, see above.` };
  const hook = join(import.meta.dirname, 'support/sqlite-of-this-node.cjs');
  return {
    env: {
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --require ${JSON.stringify(hook)}`.trim(),
      BEHALF_TEST_SQLITE: home,
    },
  };
}

const packageOf = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** Into a folder of its own; npm runs a dependency's install script only where `allowScripts` names it. */
async function install(folder, name, version, env) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, allowScripts: { [name]: true } }),
  );
  const started = Date.now();
  const progress = setInterval(() => {
    console.log(`  ${Math.round((Date.now() - started) / 1000)} s …`);
  }, 15_000);
  await run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${version}`],
    folder,
    env,
  );
  clearInterval(progress);
}

function run(command, args, cwd, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', resolve);
  });
}
