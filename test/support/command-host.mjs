// Runs commands of the built `behalf`, one after another, in this one process. Each finds the arguments, the environment,
// the folder and the input of its own, as in a process of its own, and must leave nothing open when it ends.
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../dist/src/cli/run.js';

const patienceMs = 10_000;
const emitters = [process, process.stdout, process.stderr];

/** What ends a command where it calls `process.exit`. */
class Exit extends Error {}

const listenersOf = (emitter) =>
  new Map(emitter.eventNames().map((name) => [name, emitter.rawListeners(name)]));

function removeListenersBut(known, emitter) {
  for (const name of emitter.eventNames())
    for (const listener of emitter.rawListeners(name))
      if (known.get(name)?.includes(listener) !== true) emitter.removeListener(name, listener);
}

/** What would keep a process of its own from ending. */
const open = () => process.getActiveResourcesInfo().sort();

async function runCommand({ args, env, folder, input }) {
  const known = emitters.map(listenersOf);
  const before = open();
  const told = { stdout: '', stderr: '' };
  let exitCode;

  process.chdir(folder);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv.splice(2, Infinity, ...args);
  process.exitCode = undefined;
  const stdin = Readable.from(input === '' ? [] : [Buffer.from(input)]);
  Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
  for (const name of ['stdout', 'stderr'])
    process[name].write = (chunk, encoding, done) => {
      if (exitCode === undefined) told[name] += String(chunk);
      (typeof encoding === 'function' ? encoding : done)?.();
      return true;
    };
  process.exit = (code) => {
    exitCode ??= Number(code ?? process.exitCode ?? 0);
    throw new Exit();
  };

  await run();
  const code = exitCode ?? process.exitCode ?? 0;
  for (const [at, emitter] of emitters.entries()) removeListenersBut(known[at], emitter);
  stdin.destroy();
  process.chdir('/');
  const until = Date.now() + patienceMs;
  while (open().length > before.length && Date.now() < until) await sleep(1, undefined, { ref: false });
  const left = open();
  return left.length > before.length ? { left: left.join(', ') } : { code, ...told };
}

process.on('message', (command) => {
  runCommand(command).then(
    (ended) => process.send(ended),
    (error) => process.send({ left: String(error?.stack ?? error) }),
  );
});
// The process that started this one has ended.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.send('ready');
