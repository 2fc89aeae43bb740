// databases: sqlite, mariadb
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { runDemo } from '../../examples/demo/run.js';
import { startDemoServer } from '../../examples/demo/server.js';
import { tellStory, type Outcome } from '../../examples/demo/story.js';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { readSdl } from '../../src/graphql/schema/sdl.js';
import { eq } from '../../src/store/sql/condition.js';
import { Database } from '../../src/store/sql/database.js';
import { roles, type RoleRow } from '../../src/store/tables/identity.js';
import { freshDatabaseUrl, targetOf } from '../support/database.js';
import type { FreshDatabase } from '../support/fresh-database.js';
import { ofThisNode } from '../support/this-node.js';

const root = join(import.meta.dirname, '../..');
const patience = 90_000;

let database: FreshDatabase;
/** Where the demo puts what is temporary. */
let folder: string;

beforeEach(async () => {
  database = await freshDatabaseUrl();
  folder = await mkdtemp(join(tmpdir(), 'behalf-demo-test-'));
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The demo as `npm run demo` runs it, once it is built. */
function startDemo(args: readonly string[], databaseUrl?: string): ChildProcess {
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, TMPDIR: folder, ...ofThisNode() };
  if (databaseUrl !== undefined) env.DATABASE_URL = databaseUrl;
  const script = join(root, 'dist/examples/demo/main.js');
  return spawn(process.execPath, [script, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: patience,
  });
}

async function endOf(child: ChildProcess): Promise<Ended> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('The demo has no output.');
  const [out, err, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'exit')]);
  return { code: code as number | null, out, err };
}

const failedSteps = ({ steps }: Outcome): string[] => steps.filter(({ ok }) => !ok).map(({ name }) => name);

describe('the demo', () => {
  test(
    'tells the whole story as one JSON document, and goes into an empty database only',
    async () => {
      const { code, out } = await endOf(startDemo(['--json'], database.url));
      const { ok, steps, records } = JSON.parse(out) as Outcome;
      expect({ code, ok }).toEqual({ code: 0, ok: true });
      expect(steps.map(({ name }) => name)).toEqual([
        'Rosa Lind, who answers tickets, signs in',
        'She hands the Helpdesk Assistant the ticket T-4021',
        'The assistant takes the task up',
        'It looks up what the ticket is about',
        'It answers the customer',
        'It asks what the invoice comes to, which was not handed over',
        'It asks for the customer’s credit limit, which no support agent may see',
        'It tries another customer',
        'Rosa Lind takes the task back',
        'An administrator signs in for the first time',
        'The administrator narrows the role of support agents',
        'Audra Quist, the auditor, signs in',
        'She reads back who did what, on whose behalf',
      ]);
      for (const { request, result, expectations } of steps) {
        expect([request.length, result.length, expectations.length].every((count) => count > 0)).toBe(true);
      }
      const recorded = new Set(records.map(({ id }) => id));
      const sent = steps.slice(0, -1).filter(({ operationId }) => operationId !== null);
      expect(sent.filter(({ operationId }) => !recorded.has(operationId ?? ''))).toEqual([]);

      const again = await endOf(startDemo(['--json'], database.url));
      expect(again).toMatchObject({ code: 1, out: '' });
      expect(again.err).toContain('without any tables');
    },
    patience,
  );

  test(
    'tells how a person signs in with her company, consents, and is signed out by it',
    async () => {
      const { code, out, err } = await endOf(startDemo(['--sso', '--json'], database.url));
      const { ok, steps, records } = JSON.parse(out) as Outcome;
      expect({ code, ok, failed: failedSteps({ ok, steps, records }) }).toEqual({
        code: 0,
        ok: true,
        failed: [],
      });
      expect(steps.map(({ name }) => name)).toEqual([
        'The administrator trusts the company’s identity provider',
        'Rosa Lind signs in with her company',
        'The Helpdesk Assistant asks her for one ticket, and she consents to one customer',
        'It looks up what the ticket is about',
        'It answers the customer',
        'It tries another customer',
        'The company ends her session, and the assistant is refused',
        'Audra Quist, the auditor, signs in',
        'She reads back who did what, on whose behalf',
      ]);
      expect(records.filter(({ kind }) => kind === 'REVOCATION')).toHaveLength(1);
      expect(err).toBe('');
    },
    patience,
  );

  test(
    'is plain text where there is no terminal, and leaves nothing behind',
    async () => {
      const { code, out } = await endOf(startDemo([]));
      expect(code).toBe(0);
      expect(out).not.toContain('\u001b');
      expect(out.match(/^✓ /gm)).toHaveLength(13);
      expect(out).toMatch(
        /Rosa Lind → Helpdesk Assistant +ticket:T-4021 +ReadInvoice +– +FORBIDDEN: invoices:read/,
      );
      expect(out).toContain('All 13 steps did what they should');
      expect(await readdir(folder)).toEqual([]);
    },
    patience,
  );

  test(
    'ends its server and removes its data when it is interrupted',
    async () => {
      const child = startDemo([]);
      child.stdout?.once('data', () => child.kill('SIGINT'));
      const { code, out, err } = await endOf(child);
      expect(code).toBe(130);
      expect(err).toContain('Interrupted.');
      expect(out).not.toContain('All 13 steps');
      expect(await readdir(folder)).toEqual([]);
    },
    patience,
  );

  test(
    'explains itself',
    async () => {
      const { code, out } = await endOf(startDemo(['--help']));
      expect(code).toBe(0);
      expect(out).toContain('npm run demo');
      expect((await endOf(startDemo(['--jsno']))).code).toBe(1);
    },
    patience,
  );
});

const invoicesAsOrders = (sdl: string): string =>
  sdl
    .replaceAll('@scope(name: "invoices:read"', '@scope(name: "orders:read"')
    .replaceAll('scope: "invoices:read"', 'scope: "orders:read"');

const customersWithoutBoundary = (sdl: string): string =>
  sdl
    .replace(
      '[{ dimension: "customer", path: "id" }, { dimension: "region", path: "region" }]\n    unbounded: [',
      '[{ dimension: "region", path: "region" }]\n    unbounded: ["customer", ',
    )
    // The start refuses a dimension whose values are not those of the rows that have it.
    .replace(/values: "Customer.id"\s+number: "Customer.number"/, '');

const creditForAll = (sdl: string): string =>
  sdl.replace(
    'creditLimit: Money @scope(name: "customers:read_credit")',
    'creditLimit: Money @scope(name: "customers:read")',
  );

/** Each server allows something that it should deny. */
describe('a server that is broken on purpose fails the demo', () => {
  test.each([
    [
      'invoices are read with the scope of orders',
      invoicesAsOrders,
      [
        'It asks what the invoice comes to, which was not handed over',
        'She reads back who did what, on whose behalf',
      ],
    ],
    [
      'credit limits are read with the scope of customers',
      creditForAll,
      ['It asks for the customer’s credit limit, which no support agent may see'],
    ],
    ['customers have no boundary', customersWithoutBoundary, ['It tries another customer']],
  ])(
    '%s',
    async (_name, broken, failing) => {
      const sdl = broken(readSdl());
      expect(sdl).not.toBe(readSdl());
      const outcome = await runDemo({ databaseUrl: database.url, parts: { sdl } });
      expect(outcome.ok).toBe(false);
      expect(failedSteps(outcome)).toEqual(failing);
    },
    patience,
  );

  test(
    'the role of support agents holds a scope that it should not',
    async () => {
      const server = await startDemoServer({ databaseUrl: database.url });
      try {
        await widenRole('support-agent', 'customers:read_credit');
        const outcome = await tellStory(server);
        expect(failedSteps(outcome)).toContain(
          'It asks for the customer’s credit limit, which no support agent may see',
        );
      } finally {
        await server.close();
      }
    },
    patience,
  );

  test(
    'a step that cannot be done ends the story, and the demo says which',
    async () => {
      const server = await startDemoServer({ databaseUrl: database.url });
      await server.close();
      const outcome = await tellStory(server);
      expect(outcome).toMatchObject({ ok: false, records: [], steps: [{ number: 1, ok: false }] });
      expect(outcome.steps).toHaveLength(1);
    },
    patience,
  );
});

async function widenRole(name: string, scope: string): Promise<void> {
  const target = targetOf(database.url);
  const opened = await Database.open(target, migrations, 2);
  try {
    await opened.transaction(async (tx) => {
      const role = await tx.one(roles, eq<RoleRow>('name', name));
      if (role === undefined) throw new Error(`no role ${name}`);
      await tx.update(roles, eq<RoleRow>('id', role.id), { scopes: [...role.scopes, scope] });
      await bumpEpoch(tx);
    });
  } finally {
    await opened.close();
  }
}
