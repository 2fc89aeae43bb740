// databases: sqlite, mariadb
import { buildSchema, parse, print, visit } from 'graphql';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { printSchemaText } from '../../src/graphql/schema/print-schema.js';
import type { Employee } from '../support/administration.js';
import { CommandLine } from '../support/command-line.js';
import { Office, type Agent } from '../support/office.js';

// Each command is a process of its own.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let office: Office;
let cli: CommandLine;
let rosa: Employee;
let helper: Agent;
beforeAll(async () => {
  office = await Office.start();
  rosa = await office.company.employee('rosa', 'support-rep');
  helper = await office.agent('helper', rosa, 'support-agent');
  await office.agent('idle', rosa);
  cli = await CommandLine.open({ DATABASE_URL: office.server.databaseUrl });
});
afterAll(async () => {
  await cli.close();
  await office.server.stop();
});

/** The types and fields alone: the server marks in its descriptions what a task lacks. */
const shapeOf = (sdl: string): string =>
  printSchemaText(
    print(
      visit(parse(sdl), {
        enter: (node) => ('description' in node ? { ...node, description: undefined } : undefined),
      }),
    ),
  );

test('an agent’s schema is what the agent itself sees under any task, without one', async () => {
  const sdl = await cli.ok(['schema', '--agent', 'helper']);
  const delegation = await office.delegate(rosa, { agent: 'helper', scopes: ['tickets:read'] });
  const token = await office.tokenOf(helper, delegation);
  const served = await fetch(`${office.server.url}/graphql/schema.graphql`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(shapeOf(sdl)).toBe(shapeOf(await served.text()));
  expect(sdl).not.toMatch(/@scope|Requestable/);
});

test('it is valid, has nothing beyond the agent’s roles, and narrows to types by name', async () => {
  const [all, { sdl }, nothing] = await Promise.all([
    cli.ok(['schema', 'print', '--agent', 'helper']),
    cli.json<{ sdl: string }>(['schema', '--agent', 'helper', 'Ticket']),
    cli.ok(['schema', '--agent', 'idle']),
  ]);
  const whole = buildSchema(all);
  expect(whole.getType('Customer')).toBeDefined();
  expect(whole.getType('Refund')).toBeUndefined();
  expect(whole.getMutationType()?.getFields()).toHaveProperty('replyToTicket');
  expect(whole.getMutationType()?.getFields()).not.toHaveProperty('delegate');
  expect(sdl).toMatch(/^(?:""".*"""|".*")\ntype Ticket [^]*\}$/);
  const idle = buildSchema(nothing);
  expect(Object.keys(idle.getQueryType()?.getFields() ?? {})).toEqual(['viewer']);
});

test.each([
  [['--agent', 'nobody'], 'There is no agent nobody.'],
  [['--agent', 'helper', 'Refund'], 'There is no type Refund.'],
])('%j is told, and nothing is printed', async (words, told) => {
  const { code, stdout, stderr } = await cli.run(['schema', ...words]);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(told);
});
