import fc from 'fast-check';
import { roles } from '../../src/store/tables/identity.js';
import { endings, endsLink, Person, type Chain, type Ending } from './chain-endings.js';
import type { Agent } from './office.js';
import type { Answer } from './server.js';
import { linksMax, type Caller, type TwoServers } from './two-servers.js';

/** A link among those that still work. */
const share = fc.double({ min: 0, max: 0.999, noNaN: true });
const server = fc.constantFrom(0, 1);

/** One ending among operations: where each is sent, and in which order they begin. */
const interleaving = fc.record({
  ending: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Ending>(...endings.ofOne) },
    { weight: 1, arbitrary: fc.constantFrom<Ending>(...endings.ofAll) },
  ),
  link: share,
  endedBy: server,
  /** Operations that are under way meanwhile; the ending begins after so many of them. */
  racing: fc.array(fc.record({ to: server, link: share }), { maxLength: 4 }),
  endingAfter: fc.nat({ max: 4 }),
  /** The first server that is asked afterwards. */
  first: server,
});

type Interleaving = typeof interleaving extends fc.Arbitrary<infer T> ? T : never;

/** A chain, and endings of it one after another. */
export interface Plan {
  readonly links: number;
  readonly interleavings: readonly Interleaving[];
}

export const plan: fc.Arbitrary<Plan> = fc.record({
  links: fc.integer({ min: 1, max: linksMax }),
  interleavings: fc.array(interleaving, { minLength: linksMax, maxLength: linksMax }),
});

/** An answer that must not be. */
export interface Fault {
  readonly kind: 'late' | 'refused too early' | 'neither answer nor refusal';
  readonly ending: string;
  readonly link: number;
  readonly links: number;
  readonly server: number;
  readonly answer: unknown;
}

const query = '{ customers(first: 1) { nodes { id } } }';
const refusals = new Set<unknown>(['UNAUTHENTICATED', 'FORBIDDEN', 'BAD_USER_INPUT']);

const rowsOf = ({ data }: Answer): number =>
  (data as { customers?: { nodes: unknown[] } | null } | null | undefined)?.customers?.nodes.length ?? 0;
const worked = (answer: Answer): boolean => answer.errors.length === 0 && rowsOf(answer) === 1;
const refused = (answer: Answer): boolean =>
  rowsOf(answer) === 0 &&
  answer.errors.length > 0 &&
  answer.errors.every(({ extensions: { code } }) => refusals.has(code));

let addresses = 0;

/** One person and six agents, that no other lane uses. Runs plans one after another. */
export class Lane {
  readonly faults: Fault[] = [];
  readonly kinds = new Set<Ending>();
  private address = '';

  private constructor(
    private readonly two: TwoServers,
    private readonly person: Person,
    private readonly agents: readonly Agent[],
  ) {}

  static async start(two: TwoServers, name: string): Promise<Lane> {
    const { office } = two;
    const role = await office.server.database.read.byId(roles, two.agentRoleId);
    const agents: Agent[] = [];
    for (let at = 0; at < linksMax; at += 1)
      agents.push(await office.agent(`${name}-${String(at)}`, office.company.root, role?.name ?? ''));
    return new Lane(two, new Person(two, `${name}@acme.example`), agents);
  }

  /** Ends a chain bit by bit until nothing of it works; gives the number of interleavings. */
  async run({ links, interleavings }: Plan): Promise<number> {
    const chain = await this.person.chain(this.agents.slice(0, links), (turn) => this.caller(turn % 2));
    const works = new Set(chain.links.keys());
    let count = 0;
    for (const one of interleavings) {
      if (works.size === 0) break;
      count += 1;
      await this.interleave(one, chain, works);
    }
    return count;
  }

  private async interleave(one: Interleaving, chain: Chain, works: Set<number>): Promise<void> {
    addresses += 1;
    this.address = `10.${[16, 8, 0].map((bits) => String((addresses >> bits) & 255)).join('.')}`;
    const { ending, link, racing, endingAfter, endedBy, first } = one;
    const pick = (part: number, among = works): number => [...among][Math.floor(part * among.size)] ?? 0;
    const ended = pick(link);
    const expectIt = this.expecting(ending, chain);
    for (const to of [0, 1]) await expectIt(to, pick(link), worked, 'refused too early');

    const either = (answer: Answer): boolean => worked(answer) || refused(answer);
    const race = ({ to, link: part }: (typeof racing)[number]): Promise<void> =>
      expectIt(to, pick(part), either, 'neither answer nor refusal');
    const before = racing.slice(0, endingAfter).map(race);
    const ends = this.person.end(this.caller(endedBy), ending, chain, ended);
    const after = racing.slice(endingAfter).map(race);
    await ends;

    const over = new Set([...works].filter((each) => endsLink(ending, ended, each)));
    for (const to of [first, 1 - first]) {
      await expectIt(to, ended, refused, 'late');
      if (over.size > 1) await expectIt(to, pick(link, over), refused, 'late');
    }
    await Promise.all([...before, ...after]);
    for (const each of over) works.delete(each);
    if (works.size > 0) await expectIt(first, pick(link), worked, 'refused too early');
    this.kinds.add(ending);
    await this.person.restore(this.caller(first), ending, chain.links[ended]?.agent.id ?? '');
  }

  private expecting(ending: Ending, { links }: Chain) {
    return async (to: number, link: number, test: (answer: Answer) => boolean, kind: Fault['kind']) => {
      const answer = await this.two.ask(this.caller(to), links[link]?.token ?? '', query);
      if (test(answer)) return;
      const { status, data, errors } = answer as Answer & { data: unknown };
      this.faults.push({
        kind,
        ending,
        link,
        links: links.length,
        server: to,
        answer: { status, data, errors },
      });
    };
  }

  private caller(to: number): Caller {
    return { server: to, address: this.address };
  }
}
