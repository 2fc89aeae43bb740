import { eq } from '../../src/store/sql/condition.js';
import { auditRecords, type AuditRecordRow } from '../../src/store/tables/audit.js';
import { users } from '../../src/store/tables/identity.js';
import { Browser, type Shown } from '../parts/oauth/browser.js';
import type { Employee } from './administration.js';
import type { Office } from './office.js';
import { password, passwordHash } from './passwords.js';

/** Lets a person sign in with the password of tests; returns the user name. */
export async function withPassword({ company, server }: Office, { id }: Employee): Promise<string> {
  const row = await server.database.read.byId(users, id);
  const changes = { passwordHash, mustChangePassword: false };
  await company.do(({ tx }) => tx.update(users, eq('id', id), changes));
  return row?.name ?? '';
}

/** Signs a person in at the account pages; shows the page that comes then. */
export async function signInAt(office: Office, who: Employee, browser: Browser): Promise<Shown> {
  const username = await withPassword(office, who);
  const form = await browser.open(`${office.server.url}/account/sign-in`);
  return browser.submit(form, { username, password });
}

/** A browser in which a person is signed in, and its page. */
export async function browserOf(
  office: Office,
  who: Employee,
): Promise<{ readonly browser: Browser; readonly home: Shown }> {
  const browser = new Browser(office.server.url);
  return { browser, home: await signInAt(office, who, browser) };
}

/** The records of a person's operations with this name. */
export async function recordsOf(
  { server }: Office,
  who: Employee,
  operationName: string,
): Promise<readonly AuditRecordRow[]> {
  const rows = await server.database.read.select(auditRecords, eq('operationName', operationName));
  return rows.filter(({ userId }) => userId === who.id);
}
