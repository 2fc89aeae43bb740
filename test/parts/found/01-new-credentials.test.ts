// databases: sqlite, mariadb
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bumpEpoch } from '../../../src/delegation/authority-epoch.js';
import { eq } from '../../../src/store/sql/condition.js';
import { delegations, grantableRoles } from '../../../src/store/tables/identity.js';
import { at, codes, key, type Employee } from '../../support/administration.js';
import { CommandLine } from '../../support/command-line.js';
import { digestOf } from '../../support/faults.js';
import { given, Office, type Agent } from '../../support/office.js';
import { recordOf } from '../../support/records.js';

let office: Office;
/** Manages agents, and may grant support roles only. */
let lead: Employee;
let rosa: Employee;
/** Holds a role that the lead may not grant. */
let tess: Employee;
let cli: CommandLine;

beforeAll(async () => {
  office = await Office.start();
  const { company } = office;
  lead = await company.employee('lead.agents', 'administrator');
  rosa = await company.employee('rosa.rep', 'support-rep');
  tess = await company.employee('tess.rep', 'support-rep', 'finance-manager');
  await company.do(async ({ tx }) => {
    const mine = await Promise.all([company.role('support-rep'), company.role('support-agent')]);
    await tx.insert(
      grantableRoles,
      mine.map(({ id }) => ({ userId: lead.id, roleId: id })),
    );
    await bumpEpoch(tx);
  });
  cli = await CommandLine.open({ DATABASE_URL: office.server.databaseUrl });
});
afterAll(async () => {
  await cli.close();
  await office.server.stop();
});

interface Work {
  readonly agent: Agent;
  /** Another support agent, and one for finance, to which the first hands tasks on. */
  readonly next: Agent;
  readonly finance: Agent;
  readonly delegations: Readonly<Record<'rosa' | 'tess' | 'handedOn' | 'toFinance' | 'tessHandedOn', string>>;
  readonly tokens: Readonly<Record<'rosa' | 'tess' | 'handedOn' | 'toFinance' | 'tessHandedOn', string>>;
}

let works = 0;

/** An agent with tasks of two people, each handed on to another agent, and one also to an agent for finance. */
async function work(): Promise<Work> {
  const name = `works${String((works += 1))}`;
  const [agent, next, finance] = [
    await office.agent(name, rosa, 'support-agent'),
    await office.agent(`${name}.next`, rosa, 'support-agent'),
    await office.agent(`${name}.finance`, rosa, 'finance-agent'),
  ];
  const scopes = ['customers:read', 'orders:read'];
  const [rosas, tesss] = [
    await office.delegate(rosa, { agent: name, scopes }),
    await office.delegate(tess, { agent: name, scopes }),
  ];
  const [rosaToken, tessToken] = [await office.tokenOf(agent, rosas), await office.tokenOf(agent, tesss)];
  const tokens = {
    ...{ rosa: rosaToken, tess: tessToken },
    handedOn: given(await office.exchange(next, rosaToken)),
    toFinance: given(await office.exchange(finance, rosaToken)),
    tessHandedOn: given(await office.exchange(next, tessToken)),
  };
  const childOf = async (parentId: string, { id }: Agent): Promise<string> => {
    const rows = await office.server.database.read.select(delegations, eq('parentId', parentId));
    return rows.find(({ agentId }) => agentId === id)?.id ?? '';
  };
  return {
    ...{ agent, next, finance, tokens },
    delegations: {
      ...{ rosa: rosas, tess: tesss },
      handedOn: await childOf(rosas, next),
      toFinance: await childOf(rosas, finance),
      tessHandedOn: await childOf(tesss, next),
    },
  };
}

const statusOf = async ({ delegations: ids }: Work): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(ids).map(async ([name, id]) => [
        name,
        (await office.server.database.read.byId(delegations, id))?.status,
      ]),
    ),
  ) as Record<string, unknown>;

const answered = async ({ tokens }: Work): Promise<string[]> => {
  const names: string[] = [];
  for (const [name, token] of Object.entries(tokens)) {
    const answer = await office.company.ask({ token }, '{ customers { nodes { id } } }');
    if (answer.errors.length === 0) names.push(name);
  }
  return names.sort();
};

const newKeys = (): string =>
  JSON.stringify(
    JSON.stringify({
      keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })],
    }),
  );

/** Ways of setting credentials by a mutation; with overlap, so that nothing ends but what must. */
const ways: Record<string, string> = {
  rotateAgentSecret: 'overlapSeconds: 3600',
  setAgentKeys: `publicKeys: ${newKeys()}`,
  setAgentCertificate: 'certificateName: { kind: SAN_URI, value: "spiffe://acme.example/desk" }',
  setAgentWorkloads: 'workloads: [{ issuer: "https://cluster.example", subject: "desk" }]',
};
const told = 'endedCount ended { delegationId missingRoles delegation { id } }';
const beyond = (one: Work) =>
  [
    { delegationId: one.delegations.tess, missingRoles: ['finance-manager'] },
    { delegationId: one.delegations.toFinance, missingRoles: ['finance-agent'] },
    { delegationId: one.delegations.tessHandedOn, missingRoles: ['finance-manager'] },
  ].sort((a, b) => (a.delegationId < b.delegationId ? -1 : 1));
const asTold = (one: Work) =>
  beyond(one).map((ended) => ({ ...ended, delegation: { id: ended.delegationId } }));

describe('01 credentials that somebody sets end what they could act under beyond their own power', () => {
  test.each(Object.entries(ways))('%s by who may not grant all that is used', async (field, args) => {
    const one = await work();
    expect(await answered(one)).toHaveLength(5);
    const answer = await office.change(lead, field, `id: "${one.agent.id}" ${args}`, told);
    expect(answer.errors).toEqual([]);
    expect(at(answer, field)).toEqual({ endedCount: 3, ended: asTold(one) });
    expect(await statusOf(one)).toEqual({
      ...{ rosa: 'active', handedOn: 'active' },
      ...{ tess: 'revoked', toFinance: 'revoked', tessHandedOn: 'revoked' },
    });
    // New keys end every token of the agent; what stands can have new ones.
    expect(await answered(one)).toEqual(field === 'rotateAgentSecret' ? ['handedOn', 'rosa'] : []);
    const record = await recordOf(office.server.database, answer);
    expect(JSON.stringify(record)).toContain(one.delegations.tess);
    for (const id of [one.delegations.tess, one.delegations.toFinance])
      expect(await office.server.database.read.byId(delegations, id)).toMatchObject({ endedBy: lead.id });
  });

  test.each(Object.entries(ways))(
    '%s tells beforehand what would end, and ends nothing',
    async (field, args) => {
      const one = await work();
      const before = await digestOf(office.server.database);
      const text = `mutation { ${field}(id: "${one.agent.id}" ${args} dryRun: true idempotencyKey: "dry${key()}") { ${told} } }`;
      const answer = await office.company.ask(lead, text);
      expect(at(answer, field)).toEqual({ endedCount: 3, ended: asTold(one) });
      // Its idempotency key is all that is kept.
      const { database } = office.server;
      await office.company.do(({ tx }) =>
        tx.query("DELETE FROM behalf_idempotency_keys WHERE `key` LIKE 'dry%'").then(() => undefined),
      );
      expect(await digestOf(database)).toBe(before);
      expect(await answered(one)).toHaveLength(5);
      expect((await office.requestToken(one.agent, one.delegations.tess)).status).toBe(200);
    },
  );

  test('who may grant all of it ends nothing', async () => {
    const one = await work();
    const args = `id: "${one.agent.id}" overlapSeconds: 3600`;
    const answer = await office.change(office.company.root, 'rotateAgentSecret', args, told);
    expect(at(answer, 'rotateAgentSecret')).toEqual({ endedCount: 0, ended: [] });
    expect(await answered(one)).toHaveLength(5);
  });

  test('an owner who rotates is told, and stopped, like everybody else', async () => {
    const one = await work();
    await office.done(
      office.company.root,
      'updateAgent',
      `id: "${one.agent.id}" expectedVersion: 1 input: { ownerId: "${lead.id}" }`,
    );
    const answer = await office.change(
      lead,
      'rotateAgentSecret',
      `id: "${one.agent.id}" overlapSeconds: 60`,
      told,
    );
    expect(at(answer, 'rotateAgentSecret.endedCount')).toBe(3);
  });

  test('a delegation under a role that was taken from the agent counts, since the role can come back', async () => {
    const { company } = office;
    const one = await work();
    const role = await company.role('finance-agent');
    const pair = `agentId: "${one.agent.id}" roleId: "${role.id}"`;
    await office.done(company.root, 'assignAgentRole', pair);
    const id = await office.delegate(tess, {
      ...{ agent: one.agent.name, role: 'finance-agent', scopes: ['customers:read'] },
    });
    await office.done(company.root, 'unassignAgentRole', pair);
    const answer = await office.change(
      lead,
      'rotateAgentSecret',
      `id: "${one.agent.id}" overlapSeconds: 60`,
      told,
    );
    const ended = at(answer, 'rotateAgentSecret.ended') as { delegationId: string; missingRoles: string[] }[];
    expect(ended.find(({ delegationId }) => delegationId === id)?.missingRoles).toEqual([
      'finance-agent',
      'finance-manager',
    ]);
  });

  test.each(['updateAgent', 'startAgent', 'enableUser'])(
    '%s is refused beyond the grantable set, and changes nothing',
    async (field) => {
      const one = await work();
      const args: Record<string, string> = {
        updateAgent: `id: "${one.finance.id}" expectedVersion: 1 input: { ownerId: "${lead.id}" }`,
        startAgent: `id: "${one.finance.id}"`,
        enableUser: `id: "${tess.id}"`,
      };
      const { root } = office.company;
      if (field === 'startAgent') await office.done(root, 'stopAgent', `id: "${one.finance.id}"`);
      if (field === 'enableUser') await office.done(root, 'disableUser', `id: "${tess.id}"`);
      const before = await digestOf(office.server.database);
      expect(codes(await office.change(lead, field, args[field]))).toEqual(['FORBIDDEN']);
      expect(await digestOf(office.server.database)).toBe(before);
      await office.done(root, 'enableUser', `id: "${tess.id}"`);
    },
  );
});

describe('01 `behalf agent rotate-secret` goes the same way', () => {
  test('tells beforehand what would end, ends it where that is agreed to, and nothing without', async () => {
    tess = { ...tess, token: await office.server.token(tess.id, undefined) };
    const one = await work();
    const command = ['agent', 'rotate-secret', one.agent.name, '--as', 'lead.agents', '--overlap', '60'];
    const before = await digestOf(office.server.database);

    const dry = await cli.json<{ dryRun: boolean; ended: unknown }>([...command, '--dry-run']);
    expect(dry).toEqual({ name: one.agent.name, dryRun: true, ended: beyond(one) });
    for (const more of [[], ['--json']]) {
      const refused = await cli.run([...command, ...more], {}, 'n\n');
      expect([refused.code, refused.stdout]).toEqual([1, '']);
      for (const { delegationId } of beyond(one)) expect(refused.stderr).toContain(delegationId);
      expect(refused.stderr).toContain('--yes');
    }
    expect(await digestOf(office.server.database)).toBe(before);

    const done = await cli.json<{ ended: unknown; secret: string }>([...command, '--yes']);
    expect(done.ended).toEqual(beyond(one));
    expect(await answered(one)).toEqual(['handedOn', 'rosa']);
    expect(await office.tokenOf({ ...one.agent, secret: done.secret }, one.delegations.rosa)).toBeTruthy();
  });

  test('of an agent with a role beyond the grantable set is refused', async () => {
    const one = await work();
    const before = await digestOf(office.server.database);
    const args = ['agent', 'rotate-secret', one.finance.name, '--as', 'lead.agents', '--yes'];
    const refused = await cli.run(args);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('finance-agent')]);
    expect(await digestOf(office.server.database)).toBe(before);
  });

  test('asks nothing where nothing would end', async () => {
    const agent = await office.agent('quiet', rosa, 'support-agent');
    const args = ['agent', 'rotate-secret', agent.name, '--as', 'lead.agents'];
    expect(await cli.json(args)).toMatchObject({ name: 'quiet', ended: [] });
  });
});
