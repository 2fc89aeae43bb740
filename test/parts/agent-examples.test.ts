// databases: sqlite, mariadb
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ticketMessages } from '../../src/domains/business/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import type { Employee } from '../support/administration.js';
import { root } from '../support/imports.js';
import { Office, type Agent } from '../support/office.js';

// Each example is a process of its own, with the built client.
vi.setConfig({ testTimeout: 120_000 });

const scopes = ['tickets:read', 'tickets:reply', 'customers:read'];
const hasPython = spawnSync('python3', ['--version']).status === 0;

let office: Office;
let rosa: Employee;
let helper: Agent;
beforeAll(async () => {
  office = await Office.start();
  rosa = await office.company.employee('rosa', 'support-rep');
  helper = await office.agent('helper', rosa, 'support-agent');
});
afterAll(() => office.server.stop());

const ticket = () => {
  const found = office.data.tickets.find(({ id }) => id === office.ticketId);
  if (found === undefined) throw new Error('no ticket');
  return found;
};
const messages = () => office.server.database.read.count(ticketMessages, eq('ticketId', office.ticketId));

const handOver = (): Promise<string> => office.delegate(rosa, { agent: helper.name, scopes });

/** Runs an example; returns what it prints. */
async function run<T>(program: string, example: string, task = handOver()): Promise<T> {
  const env = {
    PATH: process.env.PATH,
    SERVER: office.server.url,
    AGENT: helper.name,
    SECRET: helper.secret,
    DELEGATION: await task,
    TICKET: ticket().number,
  };
  const { stdout } = await promisify(execFile)(program, [join(root, 'examples/agents', example)], { env });
  return JSON.parse(stdout) as T;
}
const node = <T>(example: string, task = handOver()): Promise<T> => run(process.execPath, example, task);

describe('an example of an agent runs as it is, with', () => {
  test('graphql-request: started twice for one task, it answers the ticket once', async () => {
    const [before, task] = [await messages(), handOver()];
    const told = await Promise.all([1, 2].map(() => node('graphql-request.mjs', task)));
    expect(told[0]).toEqual({ subject: ticket().subject, message: expect.any(String) });
    expect(told[1]).toEqual(told[0]);
    expect(await messages()).toBe(before + 1);
  });

  test('Apollo Client: persisted queries, and data beside the refusal', async () => {
    const told = await node<{ names: string[] }>('apollo-client.mjs');
    expect(told).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['customers:read_contact'],
      hint: expect.any(String),
      operationId: expect.any(String),
    });
    expect(told.names).toHaveLength(5);
  });

  test('the AI SDK: the model gets schema and data, and the hint of a refusal', async () => {
    const { text } = await node<{ text: string }>('ai-sdk.mjs');
    expect(JSON.parse(text)).toEqual({
      fields: true,
      answer: {
        code: 'FORBIDDEN',
        message: expect.any(String),
        hint: expect.stringContaining('Employee rosa'),
        missingScopes: ['customers:read_contact'],
        data: {
          tickets: { nodes: [expect.objectContaining({ customer: { email: null } }), expect.anything()] },
        },
      },
    });
  });

  test('the AI SDK over MCP: the model gets the tools of its task', async () => {
    const { text } = await node<{ text: string }>('ai-sdk-mcp.mjs');
    const { fields, answer } = JSON.parse(text) as { fields: boolean; answer: { text: string }[] };
    expect(fields).toBe(true);
    expect(JSON.parse(answer[0]?.text ?? '')).toMatchObject({
      data: { tickets: { nodes: [{ number: expect.any(String), customer: {} }, expect.anything()] } },
      errors: [
        {
          code: 'FORBIDDEN',
          next: expect.stringContaining('Employee rosa'),
          missingScopes: ['customers:read_contact'],
        },
      ],
    });
  });

  test.runIf(hasPython)(
    'Python’s standard library: a mutation that is sent twice runs once (where python3 is)',
    async () => {
      const before = await messages();
      const told = await run<{ answers: string[] }>('python3', 'standard_library.py');
      expect(told).toMatchObject({ subject: ticket().subject, code: 'FORBIDDEN' });
      expect(new Set(told.answers).size).toBe(1);
      expect(await messages()).toBe(before + 1);
    },
  );
});
