// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { eq } from '../../src/store/sql/condition.js';
import { delegations } from '../../src/store/tables/identity.js';
import { postMessage } from '../support/mcp.js';
import { bytesInUse } from '../support/memory.js';
import { recordOf } from '../support/records.js';
import { TestServer } from '../support/server.js';
import { volume } from '../support/volume.js';

const scopes = ['customers:read'];
const streamsMax = 1_000;
const streamsOfTask = 10;
const streamsOfPerson = 100;
const taskCount = volume(streamsMax / streamsOfTask);
/** Of the server and of its clients, which are one process here. */
const bytesOfStreamMax = 200_000;

interface Task {
  readonly delegationId: string;
  readonly token: string;
}

let server: TestServer;
let tasks: Task[];
beforeAll(async () => {
  server = await TestServer.start();
  tasks = [];
  // One more than fit.
  while (tasks.length <= taskCount) tasks.push(...(await tasksOfPerson(streamsOfPerson / streamsOfTask)));
  tasks.length = taskCount + 1;
}, 120_000);
afterAll(() => server.stop());

async function tasksOfPerson(count: number): Promise<Task[]> {
  const person = await server.person({ scopes });
  const made: Task[] = [];
  while (made.length < count) {
    const { delegationId } = await server.agent(person, { scopes });
    made.push({ delegationId, token: await server.token(person.id, delegationId, scopes, '/mcp') });
  }
  return made;
}

const listen = ({ token }: Task, signal: AbortSignal): Promise<Response> =>
  postMessage(
    server.url,
    token,
    'subscriptions/listen',
    { notifications: { toolsListChanged: true } },
    { signal },
  );

const revoke = ({ delegationId }: Task): Promise<void> =>
  server.database.transaction(async (tx) => {
    await tx.update(delegations, eq('id', delegationId), { status: 'revoked' });
    await bumpEpoch(tx);
  });

test(
  `${String(taskCount * streamsOfTask)} open streams take bounded memory, one more is refused, and those that end make room`,
  { timeout: 120_000 },
  async () => {
    const [first, ...others] = tasks;
    const [over, last] = [others.at(-1), others.at(-2) ?? first];
    if (first === undefined || over === undefined || last === undefined) throw new Error('There are tasks.');
    const leave = new AbortController();
    const ofEach = (task: Task): Promise<Response[]> =>
      Promise.all(Array.from({ length: streamsOfTask }, () => listen(task, leave.signal)));
    const opened = new Map<Task, readonly Response[]>();

    const before = bytesInUse();
    for (const task of tasks.slice(0, -1)) opened.set(task, await ofEach(task));
    expect([...opened.values()].flat().filter(({ status }) => status !== 200)).toEqual([]);
    expect(bytesInUse() - before).toBeLessThan(taskCount * streamsOfTask * bytesOfStreamMax);

    const isFull = taskCount * streamsOfTask === streamsMax;
    const refused = await listen(isFull ? over : last, leave.signal);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '300']);
    expect(await refused.text()).toContain(
      `${isFull ? 'This server' : 'This task'} has too many streams open. Close one first.`,
    );

    await revoke(first);
    await Promise.all((opened.get(first) ?? []).map((stream) => stream.text()));
    const inItsPlace = await listen(over, leave.signal);
    expect(inItsPlace.status).toBe(200);

    leave.abort();
    // The server learns of the ends a moment later.
    await expect
      .poll(async () => {
        const again = new AbortController();
        const { status } = await listen(last, again.signal);
        again.abort();
        return status;
      })
      .toBe(taskCount === 1 ? 401 : 200);
  },
);

test('the tasks of one person share a number of streams, which others do not need; each that ends makes room, however it ends', async () => {
  const mine = await tasksOfPerson(streamsOfPerson / streamsOfTask + 2);
  const [[leaving, ending, other], [late, later], [theirs]] = [
    mine,
    mine.slice(-2),
    await tasksOfPerson(1),
  ] as const;
  if (!leaving || !ending || !other || !late || !later || !theirs) throw new Error('There are tasks.');
  const [leave, stay] = [new AbortController(), new AbortController()];
  /** The server learns of the end of a stream a moment later. */
  const opened = async (task: Task, signal: AbortSignal): Promise<Response> => {
    let stream: Response | undefined;
    await expect.poll(async () => (stream = await listen(task, signal)).status).toBe(200);
    return stream as unknown as Response;
  };
  const fill = async (task: Task, signal = stay.signal): Promise<Response[]> => {
    const streams: Response[] = [];
    while (streams.length < streamsOfTask) streams.push(await opened(task, signal));
    return streams;
  };
  const refusal = async (task: Task): Promise<unknown> => {
    const refused = await listen(task, stay.signal);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '300']);
    expect(await recordOf(server.database, refused)).toMatchObject({ outcome: 'failed', changes: [] });
    return refused.json();
  };
  const ofPerson = { message: 'The person of this task has too many streams open. Close one first.' };

  await fill(leaving, leave.signal);
  const ended = await fill(ending);
  for (const task of mine.slice(2, -2)) await fill(task);
  expect(await refusal(late)).toMatchObject({ error: { ...ofPerson, code: 429 } });
  expect(JSON.stringify(await refusal(other))).toContain('This task has too many streams open.');
  expect((await listen(theirs, stay.signal)).status).toBe(200);

  leave.abort();
  await fill(late);
  expect(await refusal(later)).toMatchObject({ error: ofPerson });
  await revoke(ending);
  await Promise.all(ended.map((stream) => stream.text()));
  await fill(later);
  expect(await refusal(leaving)).toMatchObject({ error: ofPerson });
  stay.abort();
});
