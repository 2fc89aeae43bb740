import { isDeepStrictEqual } from 'node:util';
import { Connection } from '../load/connection.mjs';
import { transports } from '../load/transports.mjs';
import { enforcing } from '../servers/peers.mjs';
import { requestsOf, workloads } from '../world/workloads.mjs';

/** Whether a workload means anything to a server. */
export const applies = (server, workload) => workloads[workload].expects === 'data' || enforcing.has(server);

/**
 * Asks every contender the same questions, so many of them. Throws where one answers otherwise than the first, or does not refuse
 * what it should.
 */
export async function requireAlike(contenders, workload, count) {
  const answered = [];
  for (const contender of contenders) {
    answered.push({ contender, answers: await answersOf(contender, workload, count) });
  }
  const [first, ...others] = answered;
  for (const { contender, answers } of others) {
    const at = answers.findIndex((answer, index) => !isAlike(contender, answer, first.answers[index]));
    if (at < 0) continue;
    const excerpt = (value) => JSON.stringify(value)?.slice(0, 600);
    throw new Error(
      `${contender.label} answers ${workload} otherwise than ${first.contender.label}:\n` +
        `${excerpt(answers[at])}\n${excerpt(first.answers[at])}`,
    );
  }
}

const transportOf = ({ transport = 'graphql' }) => transports[transport];

/** How a refusal reads is for each server to say. */
function isAlike(contender, answer, first) {
  if (answer.isRefused || first.isRefused) return answer.isRefused === first.isRefused;
  const expected = transportOf(contender).shown(first.data, answer);
  return isDeepStrictEqual(answer.meaning(answer.data), answer.meaning(expected));
}

async function answersOf(contender, workload, count) {
  const { label, server, world, transport } = contender;
  const connection = new Connection(server.port);
  const request = requestsOf(workload, world, transport);
  const answers = [];
  for (let n = 0; n < count; n += 1) {
    const asked = request(n);
    const { status, body } = await connection.post(asked);
    const text = body.toString('utf8');
    const { data, cut, errors } = transportOf(contender).answerOf(text);
    const isRefused = (errors?.length ?? 0) > 0;
    if (isRefused !== (workloads[workload].expects === 'errors')) {
      throw new Error(`${label} answers ${workload} with ${status}: ${text.slice(0, 600)}`);
    }
    answers.push({ isRefused, data, cut, meaning: asked.meaning });
  }
  connection.close();
  return answers;
}
