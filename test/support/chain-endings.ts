import { sha256 } from '../../src/core/digest.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../src/store/tables/identity.js';
import type { Chain, Link } from './chain.js';
import type { Actor, ActorKind } from './chain-actors.js';
import { flowOf, type FlowName } from './chain-flows.js';
import type { Caller } from './two-servers.js';

/** A chain, the link at which it ends, and where the ending is sent. */
export interface Ending {
  readonly chain: Chain;
  readonly link: Link;
  readonly to: Caller;
}

interface EndingWay {
  /** What ends: all that rests on the person, this link and those after it, or this link alone. */
  readonly reach: 'person' | 'onward' | 'alone';
  /** Whether no more tokens are given under what has ended: never, or by no refresh token. */
  readonly isFinal: 'always' | 'for refresh tokens' | 'no';
  /** Whether what has ended stays ended once the person and the agent may begin anew. */
  readonly isForGood: boolean;
  readonly fits: (link: Link, chain: Chain) => boolean;
  /** What a chain has to be, so that it can end so. */
  readonly needs?: { readonly flow?: FlowName; readonly kind?: ActorKind; readonly isElsewhere?: boolean };
  /** Resolves when the ending has committed. */
  readonly end: (ending: Ending) => Promise<unknown>;
  /** Lets the person and the agent begin another chain. */
  readonly restore?: (ending: Ending) => Promise<unknown>;
}

/** As the administrator, by a mutation. */
async function asRoot({ chain: { two }, to }: Ending, field: string, args: string): Promise<void> {
  await two.mutate(to, await two.root(), field, args);
}
const signOut = ({ chain: { person } }: Ending): Promise<void> => {
  person.signOut();
  return Promise.resolve();
};
const any = (): boolean => true;
const isAgent = ({ actor }: Link): boolean => actor !== undefined;
const isClient = ({ actor }: Link): boolean => actor?.clientRowId !== undefined;
const actorOf = ({ link }: Ending): Actor => {
  if (link.actor === undefined) throw new Error('This link has no agent.');
  return link.actor;
};
const agentOf = (ending: Ending): string => `id: "${actorOf(ending).agentId}"`;
const clientOf = (ending: Ending): string => `id: "${actorOf(ending).clientRowId ?? ''}"`;

const ofPerson = { reach: 'person', isFinal: 'for refresh tokens', isForGood: true, fits: any } as const;
const onward = { reach: 'onward', isFinal: 'always', isForGood: true, fits: isAgent } as const;
const alone = { reach: 'alone', isFinal: 'for refresh tokens', isForGood: true } as const;

/** A stolen refresh token is used after its owner has used it, and after the grace. */
async function replay({ chain, link, to }: Ending): Promise<void> {
  const stolen = link.refreshToken ?? '';
  await chain.renew(to, link);
  const isStolen = all<OAuthPayloadRow>(eq('model', 'RefreshToken'), eq('id', sha256(stolen)));
  const { company } = chain.two.office;
  const consumedAt = new Date(Date.now() - 60_000).toISOString();
  await company.do(({ tx }) => tx.update(oauthPayloads, isStolen, { consumedAt }));
  const { status } = await chain.refresh(to, link, stolen);
  if (status !== 400) throw new Error(`A replay got ${String(status)}.`);
}

async function revoke(ending: Ending, token: string): Promise<void> {
  const { chain, to } = ending;
  await chain.two.post(to, '/oauth/revoke', { token }, await actorOf(ending).proof());
}

/** The ways in which chains end. A new one is an entry here. */
export const endings = {
  session: {
    ...ofPerson,
    end: ({ chain: { two, person }, to }) => two.logOut(to, person.sub),
    restore: signOut,
  },
  'tokens of the person': {
    ...ofPerson,
    end: (ending) => asRoot(ending, 'revokeTokens', `id: "${ending.chain.person.id}"`),
    restore: signOut,
  },
  account: {
    ...{ ...ofPerson, isFinal: 'always' },
    end: (ending) => asRoot(ending, 'disableUser', `id: "${ending.chain.person.id}"`),
    restore: async (ending) => {
      await asRoot(ending, 'enableUser', `id: "${ending.chain.person.id}"`);
      await signOut(ending);
    },
  },
  // Roles are live: what rests on one works again with it.
  group: {
    ...{ ...ofPerson, isFinal: 'no', isForGood: false },
    end: ({ chain: { two, person } }) => two.signIn(person.sub, []),
    restore: signOut,
  },
  'role of the person': {
    ...{ ...ofPerson, isFinal: 'no', isForGood: false },
    end: (ending) => {
      const { person, two } = ending.chain;
      return asRoot(ending, 'unassignRole', `userId: "${person.id}" roleId: "${two.known.personRoleId}"`);
    },
    restore: signOut,
  },
  consent: {
    needs: { flow: 'token exchange' },
    ...onward,
    fits: ({ place }, { flow }) => place === 0 && flowOf(flow).restsOnConsent,
    end: async ({ chain: { two, person, consentId = '' }, to }) =>
      two.mutate(to, await person.own(to), 'withdrawConsent', `id: "${consentId}"`),
  },
  issuer: {
    needs: { flow: 'ID-JAG' },
    ...onward,
    fits: ({ place }, { flow }) => place === 0 && (flow === 'foreign token' || flow === 'ID-JAG'),
    end: ({ chain: { scene } }) => scene.issuer.remove(),
    restore: ({ chain: { scene } }) => scene.issuer.trust(),
  },
  'resource server': {
    needs: { flow: 'client credentials', isElsewhere: true },
    ...onward,
    fits: ({ place }, { resource }) => place === 0 && resource !== undefined,
    end: ({ chain: { scene }, to }) => scene.server.remove(to),
    restore: ({ chain: { scene }, to }) => scene.server.add(to),
  },
  delegation: {
    ...onward,
    end: async ({ chain: { two, person }, link, to }) =>
      two.mutate(to, await person.own(to), 'revokeDelegation', `id: "${link.delegationId}"`),
  },
  task: {
    needs: { isElsewhere: false },
    ...onward,
    fits: (link, { resource }) => isAgent(link) && resource === undefined,
    end: ({ chain: { two, isBound }, link, to }) =>
      two.mutate(to, link.token, 'completeTask', '', '__typename', isBound),
  },
  agent: {
    ...onward,
    end: (ending) => asRoot(ending, 'stopAgent', agentOf(ending)),
    restore: (ending) => asRoot(ending, 'startAgent', agentOf(ending)),
  },
  'role of the agent': {
    ...{ ...onward, isFinal: 'no', isForGood: false },
    end: (ending) => asRoot(ending, 'unassignAgentRole', roleOf(ending)),
    restore: (ending) => asRoot(ending, 'assignAgentRole', roleOf(ending)),
  },
  client: {
    needs: { kind: 'client with a key', isElsewhere: false },
    ...{ ...onward, fits: isClient },
    end: (ending) => asRoot(ending, 'stopClient', clientOf(ending)),
    restore: (ending) => asRoot(ending, 'startClient', clientOf(ending)),
  },
  'ceiling of the client': {
    needs: { flow: 'code', kind: 'public client', isElsewhere: false },
    ...{ ...onward, isFinal: 'for refresh tokens', fits: isClient },
    end: (ending) => actorOf(ending).setCeiling(ending.to, ['customers:read', 'tickets:read']),
    restore: (ending) => actorOf(ending).setCeiling(ending.to, null),
  },
  secret: {
    needs: { kind: 'secret' },
    ...{ ...onward, isFinal: 'for refresh tokens', fits: ({ actor }) => actor?.kind === 'secret' },
    end: (ending) => actorOf(ending).takeCredentials(ending.to),
  },
  workload: {
    needs: { kind: 'workload' },
    ...{ ...onward, fits: ({ actor }) => actor?.kind === 'workload' },
    end: (ending) => actorOf(ending).takeCredentials(ending.to),
    restore: (ending) => actorOf(ending).bindWorkload(ending.to),
  },
  token: {
    ...{ ...alone, isFinal: 'no', fits: isAgent },
    end: async (ending) => {
      for (const token of ending.link.tokens) await revoke(ending, token);
    },
  },
  'refresh token': {
    needs: { flow: 'device' },
    ...alone,
    fits: ({ refreshToken }) => refreshToken !== undefined,
    end: (ending) => revoke(ending, ending.link.refreshToken ?? ''),
  },
  'replayed refresh token': {
    needs: { flow: 'pushed request' },
    ...alone,
    fits: ({ refreshToken }) => refreshToken !== undefined,
    end: replay,
  },
  'sign-in': {
    ...{ ...alone, fits: (link) => !isAgent(link) },
    end: ({ chain: { person }, link, to }) => person.endSignIn(to, link.token),
    restore: signOut,
  },
} as const satisfies Record<string, EndingWay>;

const roleOf = (ending: Ending): string =>
  `agentId: "${actorOf(ending).agentId}" roleId: "${ending.chain.two.known.agentRoleId}"`;

export type EndingName = keyof typeof endings;
export const endingNames = Object.keys(endings) as readonly EndingName[];
export const wayOf = (name: EndingName): EndingWay => endings[name];

/** Whether the ending at one link ends another. */
export function endsLink(name: EndingName, ended: Link, other: Link): boolean {
  const { reach } = wayOf(name);
  if (reach === 'person') return true;
  return reach === 'alone' ? other === ended : isAgent(other) && other.place >= ended.place;
}

/** Whether a link gets no token any more. */
export function isFinalFor(name: EndingName, { refreshToken }: Link): boolean {
  const { isFinal } = wayOf(name);
  return isFinal === 'always' || (isFinal === 'for refresh tokens' && refreshToken !== undefined);
}
