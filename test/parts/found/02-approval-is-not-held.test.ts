// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bumpEpoch } from '../../../src/delegation/authority-epoch.js';
import { eq } from '../../../src/store/sql/condition.js';
import { consents, delegations, roles } from '../../../src/store/tables/identity.js';
import { codes, type Employee } from '../../support/administration.js';
import { makeRole } from '../../support/case.js';
import { digestOf } from '../../support/faults.js';
import { Office, type Agent, type TokenAnswer } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { CodeFlow } from '../oauth/browser.js';

const task = ['customers:read', 'tickets:read', 'tickets:reply'];
const handingOver = 'delegations:create';
const about = { task: 'ticket:T-1', purpose: 'Answer it' };

let office: Office;
let rosa: Employee;
let [first, second]: Agent[] = [];
/** The roles of the person, of the agent that is handed the task, and of the one to which that hands it on. */
const roleIds = { person: '', first: '', second: '' };
/** Tokens from before any scope needed an approval. */
let personToken = '';
let firstToken = '';

beforeAll(async () => {
  office = await Office.start();
  const { root } = office.company;
  rosa = await office.company.employee('rosa.approves');
  roleIds.person = await makeRole(office, 'PERSON', [...task, handingOver, 'delegations:read']);
  await office.done(root, 'assignRole', `userId: "${rosa.id}" roleId: "${roleIds.person}"`);
  for (const name of ['first', 'second'] as const) {
    const agent = await office.agent(`${name}.approves`, rosa);
    roleIds[name] = await makeRole(office, 'AGENT', task);
    await office.done(root, 'assignAgentRole', `agentId: "${agent.id}" roleId: "${roleIds[name]}"`);
    [first, second] = first === undefined ? [agent] : [first, agent];
  }
  personToken = (await office.signIn(rosa)).access_token;
});
afterAll(() => office.server.stop());

function agentOf(name: 'first' | 'second'): Agent {
  const agent = name === 'first' ? first : second;
  if (agent === undefined) throw new Error('no agent');
  return agent;
}

interface Approvals {
  readonly person: readonly string[];
  readonly first: readonly string[];
  readonly second: readonly string[];
}

const requireApproval = (approvals: Partial<Approvals>): Promise<void> =>
  office.company.do(async ({ tx }) => {
    for (const name of ['person', 'first', 'second'] as const)
      await tx.update(roles, eq('id', roleIds[name]), { approvalScopes: approvals[name] ?? [] });
    await bumpEpoch(tx);
  });

/** Nothing needs an approval, and what was consented to and handed over is as wide as it can be. */
async function openAll(): Promise<void> {
  await requireApproval({});
  await office.done(rosa, 'giveConsent', `input: { agent: "first.approves" }`);
  const delegation = await office.delegate(rosa, { agent: 'first.approves', scopes: task });
  firstToken = await office.tokenOf(agentOf('first'), delegation);
}

type Scopes = readonly string[] | undefined;

/** The scopes that were handed over; undefined where that was refused. */
type Way = (scopes: Scopes) => Promise<readonly string[] | undefined>;

async function newest(): Promise<readonly string[] | undefined> {
  const order = [{ column: 'id', direction: 'desc' }] as const;
  return (await office.server.database.read.one(delegations, eq('userId', rosa.id), { order }))?.scopes;
}

const list = (scopes: Scopes): string => (scopes === undefined ? '' : `scopes: ${JSON.stringify(scopes)}`);

async function byMutation(field: string, input: string): Promise<boolean> {
  const answer = await office.change(rosa, field, `input: { agent: "first.approves" ${input} }`);
  expect([[], ['FORBIDDEN'], ['BAD_USER_INPUT']]).toContainEqual(codes(answer));
  return answer.errors.length === 0;
}

async function byExchange(agent: Agent, subject: string, scopes: Scopes): Promise<boolean> {
  const form: Record<string, string> = scopes === undefined ? {} : { scope: scopes.join(' ') };
  const answer: TokenAnswer = await office.exchange(agent, subject, about, form);
  return answer.body.access_token !== undefined;
}

async function consentInBrowser(scopes: Scopes): Promise<boolean> {
  const detail = { type: 'behalf_consent', agent: 'first.approves', ...(scopes !== undefined && { scopes }) };
  const asked = { authorization_details: JSON.stringify([detail]) };
  const flow = await CodeFlow.start({ issuer: office.server.url }, asked);
  const page = await flow.signIn('rosa.approves', password);
  // A refusal goes back to the program: of all scopes because of the agent, or of those that the person lacks.
  const error = new URL(page.url).searchParams.get('error') ?? '';
  if (['access_denied', 'invalid_scope'].includes(error)) return false;
  const returned = await flow.browser.submit(page, {});
  return new URL(returned.url).searchParams.has('code');
}

async function newestConsent(): Promise<readonly string[] | undefined> {
  const order = [{ column: 'id', direction: 'desc' }] as const;
  return (await office.server.database.read.one(consents, eq('userId', rosa.id), { order }))?.scopes;
}

const ways: Record<string, { by: readonly (keyof Approvals)[]; make: Way }> = {
  'the mutation delegate': {
    by: ['person', 'first'],
    make: async (scopes) =>
      (await byMutation('delegate', `task: "t" purpose: "p" ${list(scopes ?? task)}`)) ? newest() : undefined,
  },
  'the mutation giveConsent': {
    by: ['person', 'first'],
    make: async (scopes) => ((await byMutation('giveConsent', list(scopes))) ? newestConsent() : undefined),
  },
  'consent in the browser': {
    by: ['person', 'first'],
    make: async (scopes) => ((await consentInBrowser(scopes)) ? newestConsent() : undefined),
  },
  'an exchange of the person’s token': {
    by: ['person', 'first'],
    make: async (scopes) =>
      (await byExchange(agentOf('first'), personToken, scopes)) ? newest() : undefined,
  },
  'an exchange of the agent’s token': {
    by: ['person', 'first', 'second'],
    make: async (scopes) =>
      (await byExchange(agentOf('second'), firstToken, scopes)) ? newest() : undefined,
  },
};

/** The consent page leaves out what the person lacks. What only the agent lacks is refused with the whole request. */
function offeredInBrowser({ person, first }: Approvals, scopes: Scopes): readonly string[] | undefined {
  const wanted = scopes ?? task.filter((scope) => !first.includes(scope));
  const left = wanted.filter((scope) => !person.includes(scope));
  const isRefused = left.length === 0 || left.some((scope) => first.includes(scope));
  return isRefused ? undefined : [...left].sort();
}

describe('02 a scope that needs approval is not held, whichever way a task is handed over', () => {
  test.each(Object.entries(ways))(
    '%s hands over what needs no approval, and nothing else',
    async (_, way) => {
      const needing = fc.subarray(task);
      await fc.assert(
        fc.asyncProperty(
          fc.record({ person: needing, first: needing, second: needing }),
          fc.option(fc.subarray(task, { minLength: 1 }), { nil: undefined }),
          async (approvals, scopes) => {
            await openAll();
            await requireApproval(approvals);
            const held = task.filter((scope) => !way.by.some((party) => approvals[party].includes(scope)));
            const before = await digestOf(office.server.database);
            const made = await way.make(scopes);
            const isHeld = (scopes ?? held).every((scope) => held.includes(scope)) && held.length > 0;
            // By `delegate` scopes are always said.
            if (way === ways['the mutation delegate'] && scopes === undefined)
              expect(made).toEqual(held.length === task.length ? [...task].sort() : undefined);
            else if (way === ways['consent in the browser'])
              expect(made).toEqual(offeredInBrowser(approvals, scopes));
            else expect(made).toEqual(isHeld ? [...(scopes ?? held)].sort() : undefined);
            if (made === undefined) expect(await digestOf(office.server.database)).toBe(before);
          },
        ),
        { numRuns: 10 },
      );
    },
  );

  test.each(Object.entries(ways).filter(([name]) => name !== 'an exchange of the agent’s token'))(
    '%s is refused where handing over itself needs an approval',
    async (_, { make }) => {
      await openAll();
      await requireApproval({ person: [handingOver] });
      const before = await digestOf(office.server.database);
      expect(await make(['tickets:read'])).toBeUndefined();
      expect(await digestOf(office.server.database)).toBe(before);
      await requireApproval({});
      expect(await make(['tickets:read'])).toEqual(['tickets:read']);
    },
  );

  test('one who may assign roles only after an approval is no administrator to be left with', async () => {
    const { company } = office;
    const administrator = await company.role('administrator');
    const asking = await makeRole(office, 'PERSON', ['roles:assign', 'users:manage', 'users:read']);
    const other = await company.employee('other.admin');
    await office.done(company.root, 'assignRole', `userId: "${other.id}" roleId: "${asking}"`);
    await company.do(async ({ tx }) => {
      await tx.update(roles, eq('id', asking), { approvalScopes: ['roles:assign'] });
      await bumpEpoch(tx);
    });
    const unassign = `userId: "${company.root.id}" roleId: "${administrator.id}"`;
    const before = await digestOf(office.server.database);
    expect(codes(await office.change(company.root, 'unassignRole', unassign))).toEqual(['CONFLICT']);
    expect(await digestOf(office.server.database)).toBe(before);
  });
});
