import fc from 'fast-check';
import { taskScopes } from './case.js';
import { actorKinds, type ActorKind } from './chain-actors.js';
import { endingNames, wayOf, type EndingName } from './chain-endings.js';
import { flowNames, type FlowName } from './chain-flows.js';
import type { Wish } from './chain-limits.js';
import { linksMax } from './two-servers.js';

/** A link among those that still work. */
const share = fc.double({ min: 0, max: 0.999, noNaN: true });
const server = fc.constantFrom(0, 1);

const respects = ['scope', 'region', 'expiry', 'depth', 'resource'] as const;
type Respect = (typeof respects)[number];

/** How one link narrows the one before it. */
const step = fc.record({
  scopes: fc.subarray(taskScopes),
  /** What the person leaves ticked. */
  left: fc.subarray(taskScopes),
  /** Which of the regions, as bits. */
  regions: fc.integer({ min: 1, max: 255 }),
  depthLess: fc.nat({ max: 2 }),
  secondsLess: fc.nat({ max: 100 }),
  /** The scopes of a token that the link before gets anew. */
  renewed: fc.option(fc.subarray(taskScopes), { nil: undefined }),
  /** What a request before it asks for beyond what there is. */
  wider: fc.option(fc.constantFrom(...respects), { nil: undefined }),
});
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One ending among operations: where each is sent, and in which order they begin. */
const interleaving = fc.record({
  ending: fc.oneof(
    ...endingNames.map((name) => ({
      weight: wayOf(name).reach === 'person' ? 1 : 2,
      arbitrary: fc.constant<EndingName>(name),
    })),
  ),
  link: share,
  endedBy: server,
  /** Operations and requests for new tokens that are under way meanwhile; the ending begins after so many of them. */
  racing: fc.array(fc.record({ to: server, link: share, renews: fc.boolean() }), { maxLength: 4 }),
  endingAfter: fc.nat({ max: 4 }),
  /** Before it, a link gets a new token. */
  renewed: fc.option(share, { nil: undefined }),
  /** The first server that is asked afterwards. */
  first: server,
});
export type Interleaving = typeof interleaving extends fc.Arbitrary<infer T> ? T : never;

/** How a chain is made. */
export interface ChainPlan {
  readonly links: number;
  readonly flow: FlowName;
  readonly kinds: readonly [ActorKind, ...ActorKind[]];
  /** It is for another server. */
  readonly isElsewhere: boolean;
  /** Its tokens are bound to a key (RFC 9449). */
  readonly isBound: boolean;
  readonly steps: readonly Step[];
}

/** A chain, and endings of it one after another. */
export interface Plan extends ChainPlan {
  readonly interleavings: readonly Interleaving[];
}

const kind = fc.constantFrom(...actorKinds);
const oneInFour = fc.integer({ min: 0, max: 3 }).map((one) => one === 0);

export const plan: fc.Arbitrary<Plan> = fc.record({
  links: fc.integer({ min: 1, max: linksMax }),
  flow: fc.constantFrom(...flowNames),
  kinds: fc.tuple(kind, kind, kind, kind, kind, kind),
  isElsewhere: oneInFour,
  isBound: oneInFour,
  steps: fc.array(step, { minLength: linksMax, maxLength: linksMax }),
  interleavings: fc.array(interleaving, { minLength: linksMax, maxLength: linksMax }),
});

/** The plan as it has to be for its first ending and its flow to be those whose turn it is. */
export function inTurn({ interleavings, ...chain }: Plan, turn: number): Plan {
  const name = endingNames[turn % endingNames.length] ?? 'token';
  const flow = flowNames[turn % flowNames.length] ?? 'code';
  const [first, ...others] = interleavings;
  const { needs = {} } = wayOf(name);
  const [, ...kinds] = chain.kinds;
  return {
    ...chain,
    flow: needs.flow ?? flow,
    ...(needs.kind !== undefined && { kinds: [needs.kind, ...kinds] }),
    ...(needs.isElsewhere !== undefined && { isElsewhere: needs.isElsewhere }),
    interleavings: first === undefined ? [] : [{ ...first, ending: name }, ...others],
  };
}

/** What a link may hand on. */
interface Room {
  readonly scopes: readonly string[];
  readonly regions: readonly string[];
  readonly depthLeft: number;
  readonly secondsLeft: number;
}

/** What the link asks for, so that as many links as are planned can follow. */
export function wishAt(step: Step, linksLeft: number, room: Room): Wish {
  const chosen = room.regions.filter((_, at) => ((step.regions >> at) & 1) === 1);
  return {
    scopes: room.scopes.filter((scope) => scope === 'customers:read' || step.scopes.includes(scope)),
    regions: chosen.length === 0 ? room.regions.slice(0, 1) : chosen,
    depth: Math.max(linksLeft - 1, room.depthLeft - 1 - step.depthLess),
    // Some time passes until the request arrives.
    seconds: room.secondsLeft - step.secondsLess - 30,
  };
}

/** A wish for more than there is in one respect. */
export function widerThan(
  wish: Wish,
  respect: Exclude<Respect, 'resource'>,
  room: Room & { readonly foreignRegion: string },
): Wish {
  switch (respect) {
    case 'scope':
      return {
        ...wish,
        scopes: [...wish.scopes, taskScopes.find((one) => !room.scopes.includes(one)) ?? 'orders:read'],
      };
    case 'region':
      return { ...wish, regions: [...wish.regions, room.foreignRegion] };
    case 'expiry':
      return { ...wish, seconds: room.secondsLeft + 60 };
    case 'depth':
      return { ...wish, depth: room.depthLeft + 1 };
  }
}
