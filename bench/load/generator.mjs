// Asks a server as fast as it answers: each connection sends its next request when the last one was answered.
// A process of its own; each message from its parent is one job, answered by one message.
import { firstRequests, requestsOf, workloads } from '../world/workloads.mjs';
import { Connection } from './connection.mjs';

process.on('message', (job) => {
  run(job).then(
    (result) => process.send(result),
    (error) => process.send({ failure: String(error.stack ?? error) }),
  );
});
process.on('disconnect', () => process.exit(0));

/** Where the next request of each server and workload comes from the sequence: no two are the same one. */
const sequences = new Map();

/** Asks for so many seconds, or fewer where `operations` of them are enough. */
async function run(job) {
  const { server, port, workload, world, transport, connections } = job;
  const { seconds, operations = Infinity, first } = job;
  const request = requestsOf(workload, world, transport);
  const lanes = Array.from({ length: connections }, () => new Connection(port));
  if (first) await askAll(lanes, firstRequests(workload, world, transport));
  const key = `${server} ${workload}`;
  const latenciesMs = [];
  let next = sequences.get(key) ?? 0;
  const enough = next + operations;
  const begin = performance.now();
  const end = begin + seconds * 1_000;
  await Promise.all(
    lanes.map(async (lane) => {
      do {
        const sent = performance.now();
        const answer = await lane.post(request(next++));
        latenciesMs.push(performance.now() - sent);
        verify(answer, workload);
      } while (performance.now() < end && next < enough);
    }),
  );
  const elapsedMs = performance.now() - begin;
  for (const lane of lanes) lane.close();
  sequences.set(key, next);
  return summary(latenciesMs, elapsedMs);
}

async function askAll(lanes, requests) {
  let next = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      while (next < requests.length) verify(await lane.post(requests[next++]), 'point');
    }),
  );
}

const errorsKey = Buffer.from('"errors":');

/** Nobody is fast by answering with an error, or without one where it should refuse. */
function verify({ status, body }, workload) {
  const hasErrors = body.indexOf(errorsKey) >= 0;
  const expectsErrors = workloads[workload].expects === 'errors';
  if (hasErrors !== expectsErrors || (!expectsErrors && status !== 200)) {
    throw new Error(`${workload} was answered with ${status}: ${body.toString('utf8', 0, 500)}`);
  }
}

function summary(latenciesMs, elapsedMs) {
  latenciesMs.sort((a, b) => a - b);
  const at = (share) => latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))];
  return {
    operations: latenciesMs.length,
    opsPerSecond: (latenciesMs.length / elapsedMs) * 1_000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}
