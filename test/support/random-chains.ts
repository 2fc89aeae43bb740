import { Chain, Scene, type Link } from './chain.js';
import { endsLink, isFinalFor, wayOf, type EndingName } from './chain-endings.js';
import type { FlowName } from './chain-flows.js';
import type { Outcome } from './chain-outcomes.js';
import type { Interleaving, Plan } from './chain-plans.js';
import type { TokenAnswer } from './office.js';
import type { Caller, TwoServers } from './two-servers.js';

/** An answer that must not be. */
export interface Fault {
  readonly kind: 'late' | 'wider' | 'refused too early' | 'neither answer nor refusal' | 'comes again';
  readonly flow: FlowName;
  readonly ending: string;
  readonly link: number;
  readonly links: number;
  readonly server: number;
  readonly answer: unknown;
}

let addresses = 0;

/** What an interleaving does: the ending, and the answers that it gets. */
interface Course {
  readonly chain: Chain;
  readonly ending: EndingName;
  readonly works: Set<Link>;
}

/** One scene with its chains, one after another. */
export class Lane {
  readonly faults: Fault[] = [];
  readonly kinds = new Set<EndingName>();
  readonly flows = new Set<FlowName>();
  private address = '';

  private constructor(private readonly scene: Scene) {}

  static async start(two: TwoServers, name: string): Promise<Lane> {
    return new Lane(await Scene.start(two, name, { server: 0, address: '10.255.0.1' }));
  }

  /** Makes a chain, and ends it bit by bit until nothing of it works; gives the number of interleavings. */
  async run(plan: Plan): Promise<number> {
    this.moveOn();
    const chain = await Chain.make(this.scene, plan, (turn) => this.caller(turn % 2));
    this.flows.add(chain.flow);
    const works = new Set(chain.links);
    let count = 0;
    for (const one of plan.interleavings) {
      if (![...works].some(({ actor }) => actor !== undefined)) break;
      count += 1;
      this.moveOn();
      await this.interleave(one, chain, works);
    }
    const [link] = chain.links;
    for (const answer of chain.wider)
      if (link !== undefined) this.note({ chain, ending: 'token', works }, 'wider', link, 0, answer);
    return count;
  }

  private async interleave(one: Interleaving, chain: Chain, works: Set<Link>): Promise<void> {
    const fitting = [...works].filter((link) => wayOf(one.ending).fits(link, chain));
    const ending = fitting.length === 0 ? 'delegation' : one.ending;
    const course = { chain, ending, works };
    const among = [...works].filter((link) => wayOf(ending).fits(link, chain));
    const ended = pick(one.link, among);
    for (const to of [0, 1]) await this.expect(course, 'worked', to, pick(one.link, works));
    if (one.renewed !== undefined) await this.renew(course, one.endedBy, pick(one.renewed, works));

    const race = (racing: Interleaving['racing']): Promise<Raced>[] =>
      racing.map((each) => this.race(course, each.to, pick(each.link, works), each.renews));
    const before = race(one.racing.slice(0, one.endingAfter));
    const way = wayOf(ending);
    const at = { chain, link: ended, to: this.caller(one.endedBy) };
    const ends = way.end(at);
    const after = race(one.racing.slice(one.endingAfter));
    await ends;

    const over = [...works].filter((link) => endsLink(ending, ended, link));
    for (const to of [one.first, 1 - one.first]) {
      await this.expect(course, 'refused', to, ended);
      if (over.length > 1) await this.expect(course, 'refused', to, pick(one.link, over));
    }
    await this.settle(course, one.first, over, await Promise.all([...before, ...after]));
    for (const link of over) works.delete(link);
    if (works.size > 0) await this.expect(course, 'worked', one.first, pick(one.link, works));
    this.kinds.add(ending);
    await way.restore?.({ ...at, to: this.caller(one.first) });
    if (way.isForGood)
      for (const link of over) await this.expect(course, 'refused', one.first, link, 'comes again');
  }

  /** No token that a link got meanwhile outlasts a final ending, and it gets none later. */
  private async settle(course: Course, to: number, over: readonly Link[], raced: Raced[]): Promise<void> {
    const { chain, ending } = course;
    for (const { link, answer } of raced) {
      if (answer?.status !== 200) continue;
      const token = answer.body.access_token ?? '';
      if (!over.includes(link)) chain.keep(link, answer);
      else if (isFinalFor(ending, link))
        for (const server of [to, 1 - to]) await this.expect(course, 'refused', server, link, 'late', token);
    }
    const link = over.find((each) => each.actor !== undefined && isFinalFor(ending, each));
    if (link === undefined) return;
    const answer = await chain.next(this.caller(to), link);
    if (answer.status === 200) this.note(course, 'late', link, to, answer);
  }

  private async renew(course: Course, to: number, link: Link): Promise<void> {
    if (link.actor === undefined || (link.refreshToken === undefined && link.actor.kind === 'public client'))
      return;
    const answer = await course.chain.renew(this.caller(to), link);
    if (answer.status !== 200) this.note(course, 'refused too early', link, to, answer);
  }

  /** An operation, or a request for the next token, while something ends. */
  private async race(course: Course, to: number, link: Link, renews: boolean): Promise<Raced> {
    const { chain } = course;
    if (renews && link.actor !== undefined) {
      const answer = await chain.next(this.caller(to), link);
      if (![200, 400, 401].includes(answer.status))
        this.note(course, 'neither answer nor refusal', link, to, answer);
      return { link, answer };
    }
    const outcome = await chain.ask(this.caller(to), link);
    if (outcome.kind !== 'worked' && outcome.kind !== 'refused') this.noteOutcome(course, outcome, link, to);
    return { link, answer: undefined };
  }

  private async expect(
    course: Course,
    kind: 'worked' | 'refused',
    to: number,
    link: Link,
    fault: Fault['kind'] = kind === 'worked' ? 'refused too early' : 'late',
    token = link.token,
  ): Promise<void> {
    const outcome = await course.chain.ask(this.caller(to), link, token);
    if (outcome.kind === kind) return;
    if (outcome.kind === 'wider') this.noteOutcome(course, outcome, link, to);
    else this.note(course, fault, link, to, outcome.answer);
  }

  private noteOutcome(course: Course, { kind, answer }: Outcome, link: Link, server: number): void {
    this.note(course, kind === 'wider' ? 'wider' : 'neither answer nor refusal', link, server, answer);
  }

  private note(
    { chain: { flow, links }, ending }: Course,
    kind: Fault['kind'],
    link: Link,
    server: number,
    answer: unknown,
  ): void {
    this.faults.push({ kind, flow, ending, link: link.place, links: links.length - 1, server, answer });
  }

  /** Each part of a run comes from an address of its own, which has its own count of refused requests. */
  private moveOn(): void {
    addresses += 1;
    this.address = `10.${[16, 8, 0].map((bits) => String((addresses >> bits) & 255)).join('.')}`;
  }

  private caller(to: number): Caller {
    return { server: to, address: this.address };
  }
}

interface Raced {
  readonly link: Link;
  readonly answer: TokenAnswer | undefined;
}

function pick(part: number, among: Iterable<Link>): Link {
  const links = [...among];
  const link = links[Math.floor(part * links.length)];
  if (link === undefined) throw new Error('There is no link to pick.');
  return link;
}
