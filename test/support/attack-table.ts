import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RecordKind } from '../../src/audit/record.js';
import { all } from '../../src/store/sql/condition.js';
import type { Database } from '../../src/store/sql/database.js';
import { clientRules, clients } from '../../src/store/tables/clients.js';
import { resourceServers } from '../../src/store/tables/resource-servers.js';
import { prefixed } from '../../src/store/tables/table.js';
import { digestOf } from './faults.js';
import type { Office, TokenAnswer } from './office.js';
import { recordsOf } from './records.js';

/** One attack: what is sent, and what has to come of it. */
export interface Attack {
  readonly name: string;
  readonly attempt: () => Promise<string>;
  /** What the attacker is told. */
  readonly error: string;
  /** The kind of its record; `counted`: requests of nobody are counted, and recorded together. */
  readonly recorded: RecordKind | 'counted';
}

/** Where each kind of attack is tried: by the test with this name, or a part of it, in this file. */
export type Tried = Readonly<Record<string, readonly (readonly [file: string, name: string])[]>>;

/**
 * The text of a file of tests, without its own table of what is tried and without comments: a name there is no test.
 */
export const testsIn = (text: string): string =>
  text.replace(/^const tried: Tried = \{$[^]*?^\};$/m, '').replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '');

/** Looks for the names. @param folder the address of the folder of the files */
export function testTried(tried: Tried, folder: string): void {
  test.each(Object.entries(tried))('%s is tried', (_kind, places) => {
    expect(places.length).toBeGreaterThan(0);
    for (const [file, name] of places)
      expect(testsIn(readFileSync(new URL(file, folder), 'utf8'))).toContain(name);
  });
}

const counted = ['Grant', 'AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode']
  .concat(['PushedAuthorizationRequest', 'BackchannelAuthenticationRequest'])
  .map((model) => `'${model}'`);

/** Everything that an attack could change. */
export async function standing(database: Database): Promise<unknown> {
  const { read } = database;
  const byId = { order: [{ column: 'id', direction: 'asc' }] } as const;
  return [
    await digestOf(database),
    await read.select(clients, all(), byId),
    await read.select(clientRules, all(), byId),
    await read.select(resourceServers, all(), byId),
    await read.query(
      `SELECT model, COUNT(*) AS count FROM ${prefixed('oauth_payloads')}
      WHERE model IN (${counted.join(', ')}) GROUP BY model ORDER BY model`,
    ),
  ];
}

/** The status and the error of an answer. */
export const toldBy = ({ status, body }: TokenAnswer): string => `${String(status)} ${body.error ?? 'none'}`;

/** Each is refused with its error, nothing changes, and the refusal is recorded. */
export function testAttacks(office: () => Office, attacks: readonly Attack[]): void {
  test.each(attacks)('$name: refused, nothing changed, recorded', async ({ attempt, error, recorded }) => {
    const { database } = office().server;
    const before = await standing(database);
    const kind = recorded === 'counted' ? 'rejected' : recorded;
    const records = (await recordsOf(database, kind)).length;
    expect(await attempt()).toBe(error);
    expect(await standing(database)).toEqual(before);
    const after = await recordsOf(database, kind);
    if (recorded === 'counted') expect(after.at(-1)).toMatchObject({ outcome: 'refused', chain: null });
    else expect(after.slice(records)).toMatchObject([{ outcome: 'refused' }]);
  });
}
