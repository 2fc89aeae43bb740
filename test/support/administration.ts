import { buildSchema } from 'graphql';
import { ensureShippedRoles } from '../../src/admin/bootstrap.js';
import { addGrantable, giveAgentRole, giveRole } from '../../src/admin/assignments.js';
import { createAgent } from '../../src/admin/agents.js';
import type { UnitOfWork } from '../../src/admin/unit-of-work.js';
import { administratorRole } from '../../src/admin/shipped-roles.js';
import { Trail } from '../../src/audit/trail.js';
import { Authorities } from '../../src/delegation/authorities.js';
import { AuthorityEpoch } from '../../src/delegation/authority-epoch.js';
import { AuthRecords } from '../../src/delegation/auth-records.js';
import { CommitGate } from '../../src/delegation/commit-gate.js';
import { OAuthDelegations } from '../../src/delegation/oauth-delegations.js';
import { isoTime } from '../../src/core/clock.js';
import { allTables } from '../../src/domains/all-tables.js';
import { readSchemaPolicy } from '../../src/graphql/schema/schema-policy.js';
import { DocumentReach, documentRules } from '../../src/graphql/document/document-check.js';
import { readSdl } from '../../src/graphql/schema/sdl.js';
import { eq } from '../../src/store/sql/condition.js';
import { RowTypes } from '../../src/store/bounded/row-types.js';
import { roles, users, type RoleRow, type UserRow } from '../../src/store/tables/identity.js';
import type { AppParts } from '../../src/app.js';
import { passwordHash } from './passwords.js';
import { TestServer, type Answer } from './server.js';
import { secretsAllowed } from './secrets-allowed.js';
import type { Surroundings } from '../../src/admin/client-ceilings.js';

const schema = buildSchema(readSdl());
const policy = readSchemaPolicy(schema);
export const catalog = { ...policy, types: new RowTypes(policy.rows, allTables({ smallestCell: 5 })) };
export const rules = documentRules(new DocumentReach(schema, policy.scopes));

/** A person of the company, with a token of all scopes. */
export interface Employee {
  readonly id: string;
  readonly token: string;
}

/** A server with every shipped role and a first administrator, `root`. */
export class Company {
  private constructor(
    readonly server: TestServer,
    readonly root: Employee,
  ) {}

  static async start(parts: AppParts = {}, env: Record<string, string> = {}): Promise<Company> {
    const server = await TestServer.start(parts, env);
    const root = await Company.work(server, async (unit) => {
      const shipped = await ensureShippedRoles(unit);
      const user = await account(unit, 'root', 'Root');
      for (const role of shipped.filter(({ name }) => name === administratorRole))
        await giveRole(unit, user, role, null);
      await addGrantable(unit, user.id, shipped);
      return user;
    });
    return new Company(server, { id: root.id, token: await server.token(root.id, undefined) });
  }

  /** Does the work of a command at the server's own terminal. */
  do<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return Company.work(this.server, work);
  }

  async employee(name: string, ...roleNames: string[]): Promise<Employee> {
    const user = await this.do(async (unit) => {
      const created = await account(unit, name, `Employee ${name}`);
      for (const role of roleNames) await giveRole(unit, created, await this.role(role), null);
      return created;
    });
    return { id: user.id, token: await this.server.token(user.id, undefined) };
  }

  async agent(name: string, owner: Employee, ...roleNames: string[]): Promise<{ id: string; name: string }> {
    return this.do(async (unit) => {
      const of = { displayName: `Agent ${name}`, businessTask: 'a task of a test', ownerId: owner.id };
      const { agent } = await createAgent(unit, { name, ...of }, secretsAllowed);
      for (const role of roleNames) await giveAgentRole(unit, agent, await this.role(role), null);
      return { id: agent.id, name };
    });
  }

  /** What the ceilings of a client have to fit. */
  get around(): Surroundings {
    return { publicUrl: this.server.publicUrl, knownScopes: new Set(this.server.app.scopes) };
  }

  async role(name: string): Promise<RoleRow> {
    const row = await this.server.database.read.one(roles, eq<RoleRow>('name', name));
    if (row === undefined) throw new Error(`no role ${name}`);
    return row;
  }

  ask(who: Employee | { token: string }, query: string, variables = {}): Promise<Answer> {
    return this.server.query(who.token, query, variables);
  }

  /** The authorization server's view of delegations. */
  grants(): OAuthDelegations {
    const { database, clock, ids } = this.server;
    const peopleOnly = new Set(
      [...catalog.definitions.values()].filter((scope) => scope.peopleOnly).map((scope) => scope.name),
    );
    const authorities = new Authorities(database.read, new AuthorityEpoch(database.read), clock, peopleOnly);
    const records = new AuthRecords(database, new CommitGate(database, clock), clock, ids);
    return new OAuthDelegations(database, authorities, clock, ids, catalog, records);
  }

  private static work<T>(
    { database, clock, ids }: TestServer,
    work: (unit: UnitOfWork) => Promise<T>,
  ): Promise<T> {
    return database.transaction((tx) => work({ tx, clock, ids, trail: new Trail() }));
  }
}

/** As `createUser`, with a password that was hashed before: to hash one takes a tenth of a second. */
async function account({ tx, ids, clock }: UnitOfWork, name: string, displayName: string): Promise<UserRow> {
  const user: UserRow = {
    ...{ id: ids.next(), name, displayName, email: null, passwordHash, mustChangePassword: true },
    ...{ status: 'active', createdAt: isoTime(clock.now()), version: 1 },
  };
  await tx.insert(users, [user]);
  return user;
}

let keys = 0;
/** A new idempotency key. */
export const key = (): string => `key-${String((keys += 1))}`;

export const codes = (answer: Answer): unknown[] => answer.errors.map((error) => error.extensions.code);

/** The value at a path such as `delegate.delegation`. */
export function at(answer: Answer, path: string): unknown {
  let value: unknown = answer.data;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) throw new Error(`nothing at ${path}`);
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** A page's rows at a path. */
export const nodesAt = (answer: Answer, path: string): Record<string, unknown>[] =>
  at(answer, `${path}.nodes`) as Record<string, unknown>[];
