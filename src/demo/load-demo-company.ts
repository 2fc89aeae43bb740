import { createAgent, type CredentialRules } from '../admin/agents.js';
import { giveAgentRole, giveRole } from '../admin/assignments.js';
import { createFirstAdministrator, ensureShippedRoles } from '../admin/bootstrap.js';
import { createUser } from '../admin/users.js';
import type { UnitOfWork } from '../admin/unit-of-work.js';
import { insertRecords } from '../audit/record.js';
import { Trail } from '../audit/trail.js';
import { isoTime, type Clock } from '../core/clock.js';
import { conflict } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import * as business from '../domains/business/tables.js';
import { collections, documents, type DocumentRow } from '../domains/knowledge/tables.js';
import { ensureCollection, upsertImportedDocument } from '../domains/knowledge/document-writes.js';
import { all, eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import type { Database } from '../store/sql/database.js';
import type { Table } from '../store/tables/table.js';
import { agents, delegations, users, type RoleRow, type UserRow } from '../store/tables/identity.js';
import { commandRecord } from '../operator/command-record.js';
import { generateBusiness, seededIds, type BusinessData } from './generate-business.js';
import { companyFolder, demoCollections, demoDocuments } from './documents.js';
import { demoAdministrator, demoAgents, demoUsers, type DemoAgent, type DemoUser } from './people.js';

interface LoadOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  /** Its agents have secrets: without them it is not loaded. */
  readonly rules: CredentialRules;
  /** The same seed gives the same data. */
  readonly seed?: number;
  /** Receives what is being loaded. */
  readonly onProgress?: (doing: string) => void;
  /** Stores the secrets before the commit. A retry of the transaction calls it again. */
  readonly keep?: (company: LoadedCompany) => void;
}

export interface LoadedCompany {
  readonly people: readonly (DemoUser & { readonly id: string; readonly password: string })[];
  readonly agents: readonly (DemoAgent & { readonly id: string; readonly secret: string })[];
  /** Number of rows by table. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Whether the database is unused: no people, agents, delegations, knowledge or business data. */
export async function isEmpty(connection: Connection): Promise<boolean> {
  const used = [users, agents, delegations, collections, documents, ...Object.values(business)];
  for (const table of used) {
    if ((await connection.one(table as unknown as Table<object>, all())) !== undefined) return false;
  }
  return true;
}

/**
 * Loads the demo company with its record in one transaction. Throws `CONFLICT` where the database is not
 * empty, and where agents get no secrets. The administrator must choose a new password at the first sign-in; the other passwords stay valid.
 */
export function loadDemoCompany(database: Database, options: LoadOptions): Promise<LoadedCompany> {
  const { clock, ids, onProgress = () => undefined } = options;
  return database.transaction(async (tx) => {
    if (!options.rules.staticSecrets)
      throw conflict('The agents of the demo company have secrets: load it with BEHALF_STATIC_SECRETS=on.');
    if (!(await isEmpty(tx))) throw conflict('The database is not empty: the demo company was not loaded.');
    const unit: UnitOfWork = { tx, clock, ids, trail: new Trail() };
    onProgress('People and agents');
    const roles = new Map((await ensureShippedRoles(unit)).map((role) => [role.name, role]));
    const people = await loadPeople(unit, roles);
    const loadedAgents = await loadAgents(unit, roles, people, options.rules);
    onProgress('Documents');
    const counts = { ...(await loadDocuments(unit, people)), ...(await loadBusiness(unit, options)) };
    const company: LoadedCompany = {
      people: people.map(({ person, user, password }) => ({ ...person, id: user.id, password })),
      agents: loadedAgents,
      counts: { users: people.length, agents: loadedAgents.length, ...counts },
    };
    const event = { ...unit, command: 'seed', by: undefined, detail: { rows: company.counts } };
    await insertRecords(tx, [commandRecord(event)]);
    options.keep?.(company);
    return company;
  });
}

interface LoadedPerson {
  readonly person: DemoUser;
  readonly user: UserRow;
  readonly password: string;
}

const roleOf = (roles: ReadonlyMap<string, RoleRow>, name: string): RoleRow => {
  const role = roles.get(name);
  if (role === undefined) throw new Error(`The demo company needs the role ${name}, which does not ship.`);
  return role;
};

async function loadPeople(unit: UnitOfWork, roles: ReadonlyMap<string, RoleRow>): Promise<LoadedPerson[]> {
  const { name, displayName, email } = demoAdministrator;
  const administrator = await createFirstAdministrator(unit, { name, displayName, email });
  const loaded: LoadedPerson[] = [{ person: demoAdministrator, ...administrator }];
  for (const person of demoUsers.filter((each) => each !== demoAdministrator)) {
    const made = await createUser(unit, person);
    await unit.tx.update(users, eq<UserRow>('id', made.user.id), { mustChangePassword: false });
    await giveRole(unit, made.user, roleOf(roles, person.role), administrator.user.id);
    loaded.push({ person, ...made });
  }
  return loaded;
}

async function loadAgents(
  unit: UnitOfWork,
  roles: ReadonlyMap<string, RoleRow>,
  people: readonly LoadedPerson[],
  rules: CredentialRules,
): Promise<LoadedCompany['agents']> {
  const [administrator] = people;
  const loaded = [];
  for (const demo of demoAgents) {
    const owner = people.find(({ person }) => person.name === demo.owner);
    const { name, displayName, businessTask } = demo;
    const ownerId = owner?.user.id ?? '';
    const made = await createAgent(unit, { name, displayName, businessTask, ownerId }, rules);
    const { agent, secret } = made;
    await giveAgentRole(unit, agent, roleOf(roles, demo.role), administrator?.user.id ?? null);
    loaded.push({ ...demo, id: agent.id, secret: secret ?? '' });
  }
  return loaded;
}

async function loadDocuments(
  { tx, clock, ids }: UnitOfWork,
  people: readonly LoadedPerson[],
): Promise<Record<string, number>> {
  const folder = companyFolder();
  const at = isoTime(clock.now());
  const listed = demoCollections(folder);
  for (const collection of listed) await ensureCollection(tx, { ...collection, at }, ids);
  const pages = demoDocuments(folder, listed);
  for (const { path, owner, ...page } of pages) {
    const document = { ...page, source: 'demo-company', externalId: path, at, by: 'the demo company' };
    await upsertImportedDocument(tx, document, ids);
    const owning = people.find(({ person }) => person.name === owner);
    if (owning === undefined) continue;
    const mine = all<DocumentRow>(eq('collection', page.collection), eq('title', page.title));
    await tx.update(documents, mine, { ownerId: owning.user.id, ownerName: owning.person.displayName });
  }
  return { collections: listed.length, documents: pages.length };
}

async function loadBusiness(
  { tx, clock }: UnitOfWork,
  { seed = 1, onProgress = () => undefined }: LoadOptions,
): Promise<Record<string, number>> {
  onProgress('Customers, orders, tickets');
  const data = generateBusiness({ seed, now: clock.now(), ids: seededIds(seed) });
  const counts: Record<string, number> = {};
  for (const [name, rows] of Object.entries(data) as [keyof BusinessData, never[]][]) {
    await tx.insert(business[name] as unknown as Table<never>, rows);
    counts[name] = rows.length;
  }
  return counts;
}
