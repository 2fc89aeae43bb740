import { entriesInForce } from '../../admin/provided-roles.js';
import { all } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { roles } from '../../store/tables/identity.js';
import {
  identityProviders,
  providerGroupRoles,
  signalTransmitters,
  userIdentities,
  type SignalTransmitterRow,
} from '../../store/tables/identity-providers.js';

interface ListedProvider {
  readonly name: string;
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly groupsClaim: string;
  readonly nameClaim: string;
  readonly mayCreateUsers: boolean;
  /** From whom its security events are taken. Null: from nobody. */
  readonly signals: { readonly issuer: string; readonly audience: string } | null;
  /** How many people are known by it. */
  readonly people: number;
  readonly groups: readonly {
    readonly group: string;
    readonly role: string;
    /** False where the administrator who made the entry is disabled, or can no longer grant the role. */
    readonly inForce: boolean;
  }[];
}

/** Every provider, without its secret. */
export async function listProviders(connection: Connection): Promise<ListedProvider[]> {
  const names = new Map((await connection.select(roles, all())).map((role) => [role.id, role.name]));
  const map = await connection.select(providerGroupRoles, all());
  const inForce = new Set(await entriesInForce(connection, map));
  const people = await connection.select(userIdentities, all());
  const transmitters = new Map(
    (await connection.select(signalTransmitters, all())).map((one) => [one.providerId, one]),
  );
  const rows = await connection.select(identityProviders, all(), {
    order: [{ column: 'name', direction: 'asc' }],
  });
  return rows.map((row) => ({
    ...{ name: row.name, label: row.label, issuer: row.issuer, clientId: row.clientId, scopes: row.scopes },
    ...{ groupsClaim: row.groupsClaim, nameClaim: row.userNameClaim, mayCreateUsers: row.mayCreateUsers },
    signals: signalsOf(transmitters.get(row.id)),
    people: new Set(people.flatMap((one) => (one.providerId === row.id ? [one.userId] : []))).size,
    groups: map
      .filter((entry) => entry.providerId === row.id)
      .map((entry) => ({
        ...{ group: entry.groupName, role: names.get(entry.roleId) ?? entry.roleId },
        inForce: inForce.has(entry),
      })),
  }));
}

const signalsOf = (row: SignalTransmitterRow | undefined): ListedProvider['signals'] =>
  row === undefined ? null : { issuer: row.issuer, audience: row.audience };
