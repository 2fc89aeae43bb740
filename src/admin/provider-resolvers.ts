import { reads, type Operation, type Resolvers } from '../delegation/resolver-context.js';
import { all, eq } from '../store/sql/condition.js';
import { roles, users, type UserRow } from '../store/tables/identity.js';
import {
  identityProviders,
  providerGroupRoles,
  userIdentities,
  type IdentityProviderRow,
  type ProviderGroupRoleRow,
  type UserIdentityRow,
} from '../store/tables/identity-providers.js';
import {
  addProvider,
  linkIdentity,
  removeProvider,
  unlinkIdentity,
  withoutSecret,
  type NewProvider,
} from './identity-providers.js';
import { byName, type PageArgs } from './list-queries.js';
import { entriesInForce, mapGroup, unmapGroup } from './provided-roles.js';
import { changing, unitOfWork, type UnitOfWork } from './unit-of-work.js';
import { withoutPassword } from './users.js';

interface KeyArgs {
  readonly idempotencyKey: string;
}
type Required = 'name' | 'label' | 'issuer' | 'clientId' | 'clientSecret';
type ProviderInput = Pick<NewProvider, Required> & {
  readonly [K in Exclude<keyof NewProvider, Required>]?: NewProvider[K] | null;
};
interface AddArgs extends KeyArgs {
  readonly input: ProviderInput;
}
interface OneArgs extends KeyArgs {
  readonly id: string;
}
interface SubjectArgs extends KeyArgs {
  readonly providerId: string;
  readonly subject: string;
}
interface LinkArgs extends SubjectArgs {
  readonly userId: string;
}
interface GroupArgs extends KeyArgs {
  readonly providerId: string;
  readonly group: string;
  readonly roleId: string;
}

const scope = 'identity_providers:manage';
const answer = { identityProvider: identityProviders };

const personOf = ({ authority }: Operation): string => authority.chain.person.id;

const newProvider = (input: ProviderInput): NewProvider => ({
  ...input,
  scopes: input.scopes ?? ['profile', 'email'],
  groupsClaim: input.groupsClaim ?? 'groups',
  userNameClaim: input.userNameClaim ?? 'preferred_username',
  mayCreateUsers: input.mayCreateUsers ?? false,
});

function add(_: unknown, { input, idempotencyKey }: AddArgs, operation: Operation) {
  // The stored digest of the input must not allow guesses at the secret.
  const compared = { ...input, clientSecret: operation.digest(input.clientSecret) };
  return operation.once(idempotencyKey, { addIdentityProvider: compared }, answer, async () => {
    const { id } = await addProvider(unitOfWork(operation), newProvider(input), operation.allowHttp);
    operation.rows.forget();
    return { identityProvider: withoutSecret(await operation.rows.inside(identityProviders, id, scope)) };
  });
}

const remove = (_: unknown, { id, idempotencyKey }: OneArgs, operation: Operation) =>
  operation.once(idempotencyKey, { removeIdentityProvider: id }, {}, async () => {
    const provider = await operation.rows.inside(identityProviders, id, scope, true);
    const people = await removeProvider(unitOfWork(operation), personOf(operation), provider);
    operation.rows.forget();
    return { id, signedOutCount: people.length };
  });

/** Locks the provider first, as sign-ins do, and then the account, which must be in reach. */
async function changingUser(
  operation: Operation,
  providerId: string,
  userOf: (provider: IdentityProviderRow) => Promise<string>,
  work: (unit: UnitOfWork, provider: IdentityProviderRow, user: UserRow) => Promise<unknown>,
): Promise<{ user: UserRow }> {
  const provider = await operation.rows.inside(identityProviders, providerId, scope, true);
  const user = await changing(
    operation,
    users,
    await userOf(provider),
    'users:manage',
    (before, unit: UnitOfWork) => work(unit, provider, before),
  );
  return { user: withoutPassword(user) };
}

const link = (_: unknown, args: LinkArgs, operation: Operation) => {
  const { providerId, userId, subject, idempotencyKey } = args;
  const input = { linkIdentity: { providerId, userId, subject } };
  return operation.once(idempotencyKey, input, { user: users }, () =>
    changingUser(
      operation,
      providerId,
      () => Promise.resolve(userId),
      (unit, provider, user) => linkIdentity(unit, personOf(operation), provider, user, subject),
    ),
  );
};

const unlink = (_: unknown, args: SubjectArgs, operation: Operation) => {
  const { providerId, subject, idempotencyKey } = args;
  const input = { unlinkIdentity: { providerId, subject } };
  const userOf = async ({ id }: IdentityProviderRow): Promise<string> => {
    const isTheirs = all<UserIdentityRow>(eq('providerId', id), eq('subject', subject));
    // A subject that nobody has, and one of an account out of reach, get the same answer.
    return (await operation.connection.one(userIdentities, isTheirs))?.userId ?? '';
  };
  return operation.once(idempotencyKey, input, { user: users }, () =>
    changingUser(operation, providerId, userOf, (unit, provider) =>
      unlinkIdentity(unit, personOf(operation), provider, subject),
    ),
  );
};

const mapping =
  (name: string, work: typeof mapGroup) =>
  (_: unknown, { providerId, group, roleId, idempotencyKey }: GroupArgs, operation: Operation) =>
    operation.once(idempotencyKey, { name, providerId, group, roleId }, answer, async () => {
      const provider = await changing(
        operation,
        identityProviders,
        providerId,
        scope,
        async (before, unit) => {
          const role = await operation.rows.inside(roles, roleId, 'roles:assign', true);
          await work(unit, personOf(operation), before, group, role);
        },
      );
      return { identityProvider: withoutSecret(provider) };
    });

interface Group {
  readonly group: string;
  readonly roleId: string;
  readonly inForce: boolean;
}

/** The map of every provider, read once for an operation. */
function groupsOf({ rows, connection }: Operation): Promise<ReadonlyMap<string, readonly Group[]>> {
  return rows.shared('groups of identity providers', async () => {
    const map = await connection.select(providerGroupRoles, all<ProviderGroupRoleRow>());
    const inForce = new Set(await entriesInForce(connection, map));
    const byProvider = new Map<string, Group[]>();
    for (const entry of map) {
      const { providerId, groupName: group, roleId } = entry;
      const known = byProvider.get(providerId) ?? [];
      known.push({ group, roleId, inForce: inForce.has(entry) });
      byProvider.set(providerId, known);
    }
    for (const groups of byProvider.values()) groups.sort(byGroup);
    return byProvider;
  });
}

const byGroup = (a: Group, b: Group): number =>
  a.group === b.group ? (a.roleId < b.roleId ? -1 : 1) : a.group < b.group ? -1 : 1;

export const providerResolvers: Resolvers = {
  Query: {
    identityProviders: (_: unknown, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.list(identityProviders, { order: byName, first, after }),
  },
  Mutation: {
    addIdentityProvider: add,
    removeIdentityProvider: remove,
    linkIdentity: link,
    unlinkIdentity: unlink,
    mapGroup: mapping('mapGroup', mapGroup),
    unmapGroup: mapping('unmapGroup', unmapGroup),
  },
  IdentityProvider: {
    redirectUri: reads<IdentityProviderRow>(
      ['name'],
      ({ name }, _, { publicUrl }) => `${publicUrl}/oauth/callback/${name}`,
    ),
    groups: reads<IdentityProviderRow>(['id'], async ({ id }, _, operation, selection) => {
      const groups = (await groupsOf(operation)).get(id) ?? [];
      // The number of groups was unknown before they were read.
      operation.resolving(groups.length * selection.fields);
      return groups;
    }),
  },
  IdentityProviderGroup: {
    role: ({ roleId }: Group, _: unknown, operation: Operation) => operation.rows.get(roles, roleId),
  },
};
