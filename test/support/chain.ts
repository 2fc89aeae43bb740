import { eq } from '../../src/store/sql/condition.js';
import { delegations, roles, type DelegationRow } from '../../src/store/tables/identity.js';
import { Actor, provenKinds, type ActorKind } from './chain-actors.js';
import { exchangeForm, flowOf, underForm, type FlowName } from './chain-flows.js';
import { beyond, limitsOfRole, limitsOfRow, limitsOfWish, type Limits, type Wish } from './chain-limits.js';
import { OtherIssuer, OtherServer } from './chain-parties.js';
import { Person } from './chain-person.js';
import { outcomeOf, outcomeOfIntrospection, type Outcome } from './chain-outcomes.js';
import { given, type TokenAnswer } from './office.js';
import { wishAt, widerThan, type ChainPlan, type Step } from './chain-plans.js';
import { linksMax, type Caller, type TwoServers } from './two-servers.js';

const query = '{ customers(first: 5) { nodes { region } } }';

/** A person, their issuer, another server, and six agents of each kind, that no other lane uses. */
export class Scene {
  readonly person: Person;
  readonly server: OtherServer;
  private readonly actors = new Map<string, Actor>();
  private trusted: OtherIssuer | undefined;

  private constructor(
    readonly two: TwoServers,
    private readonly name: string,
  ) {
    this.person = new Person(two, `${name}@acme.example`);
    this.server = new OtherServer(two, name);
  }

  static async start(two: TwoServers, name: string, to: Caller): Promise<Scene> {
    const scene = new Scene(two, name);
    await scene.server.add(to);
    const known: Actor[] = [];
    for (const kind of provenKinds) known.push(await scene.actor(0, kind));
    scene.trusted = await OtherIssuer.trusted(two, name, known);
    return scene;
  }

  get issuer(): OtherIssuer {
    if (this.trusted === undefined) throw new Error('The scene has not been started.');
    return this.trusted;
  }

  async actor(place: number, kind: ActorKind): Promise<Actor> {
    const name = `${this.name}-${String(place)}-${kind.replaceAll(' ', '-')}`;
    const actor = this.actors.get(name) ?? (await Actor.make(this.two, name, kind));
    this.actors.set(name, actor);
    return actor;
  }
}

/** One agent of a chain with its tokens; or, without an agent, the person's own token. */
export class Link {
  readonly tokens: string[] = [];
  /** Of the newest token. */
  scopes: readonly string[] = [];
  refreshToken: string | undefined;

  constructor(
    /** How many agents acted before; -1 for the person. */
    readonly place: number,
    readonly actor?: Actor,
    readonly delegationId = '',
    /** Of the delegation. */
    readonly limits?: Limits,
  ) {}

  /** The newest. */
  get token(): string {
    return this.tokens.at(-1) ?? '';
  }
}

/** A chain of tokens: the first by some flow, each further one by exchange of the one before it. */
export class Chain {
  /** The agents' links in their order, then the person's own token. */
  readonly links: Link[] = [];
  /** Where something came out wider than it may be. */
  readonly wider: string[] = [];
  consentId: string | undefined;

  private constructor(
    readonly scene: Scene,
    readonly flow: FlowName,
    /** Undefined: this server itself. */
    readonly resource: string | undefined,
    /** Whether the agents' tokens are bound to a key (RFC 9449). */
    readonly isBound: boolean,
    private readonly caller: (turn: number) => Caller,
  ) {}

  get two(): TwoServers {
    return this.scene.two;
  }
  get person(): Person {
    return this.scene.person;
  }

  static async make(scene: Scene, plan: ChainPlan, caller: (turn: number) => Caller): Promise<Chain> {
    const isElsewhere = plan.isElsewhere && flowOf(plan.flow).anyResource;
    const resource = isElsewhere ? scene.server.identifier : undefined;
    const chain = new Chain(scene, plan.flow, resource, plan.isBound, caller);
    const own = await scene.person.own(caller(0));
    for (const [place, step] of plan.steps.slice(0, plan.links).entries())
      await (place === 0 ? chain.begin(plan, step) : chain.goOn(plan, step, place));
    const last = new Link(-1);
    last.tokens.push(own);
    chain.links.push(last);
    return chain;
  }

  /** Requests the next token of a link: by its refresh token, or else under its delegation by the agent's own proof. */
  next(to: Caller, link: Link, scopes = link.limits?.scopes ?? []): Promise<TokenAnswer> {
    return link.refreshToken === undefined
      ? this.send(to, link, underForm(link.delegationId, scopes, this.resource))
      : this.refresh(to, link, link.refreshToken, scopes);
  }

  async renew(to: Caller, link: Link, scopes = link.limits?.scopes ?? []): Promise<TokenAnswer> {
    const answer = await this.next(to, link, scopes);
    if (answer.status === 200) this.keep(link, answer, scopes);
    return answer;
  }

  refresh(to: Caller, link: Link, token: string, scopes: readonly string[] = []): Promise<TokenAnswer> {
    const scope: Record<string, string> = scopes.length === 0 ? {} : { scope: scopes.join(' ') };
    return this.send(to, link, { grant_type: 'refresh_token', refresh_token: token, ...scope });
  }

  /** What comes of an operation with a token of the link; at another server, of its introspection. */
  async ask(to: Caller, link: Link, token = link.token): Promise<Outcome> {
    if (link.actor !== undefined && this.resource !== undefined) {
      const actors = this.links.slice(0, link.place + 1).map(({ actor }) => actor?.name ?? '');
      const answer = await this.scene.server.introspect(to, token);
      return outcomeOfIntrospection(answer, { ...link.limits, actors, userId: this.person.id });
    }
    const isBound = this.isBound && link.actor !== undefined;
    return outcomeOf(await this.two.ask(to, token, query, isBound), link.limits);
  }

  private async begin(plan: ChainPlan, step: Step): Promise<void> {
    const { scene, two, person, resource, isBound, caller } = this;
    const flow = flowOf(this.flow);
    const actor = await this.actorAt(0, plan, flow.kinds);
    if (flow.restsOnConsent) this.consentId = await person.consent(caller(1), actor);
    const role = await two.office.server.database.read.byId(roles, two.known.agentRoleId);
    if (role === undefined) throw new Error('There is no role.');
    const wish = wishAt(step, plan.links, {
      ...{ scopes: role.scopes, regions: two.known.regions, depthLeft: linksMax, secondsLeft: 3_600 },
    });
    const left = wish.scopes.filter((scope) => scope === 'customers:read' || step.left.includes(scope));
    const first = { two, person, issuer: scene.issuer, actor, wish, left, resource, isBound, caller };
    const answer = await flow.request(first);
    const row = await this.rowOf(answer);
    const asked = flow.isAsked ? { ...wish, scopes: left } : wish;
    // A delegation that the person made before is for all resources.
    const request = limitsOfWish(asked, this.flow === 'client credentials' ? undefined : resource, row);
    this.add(0, actor, answer, row, [limitsOfRole(role, row), request]);
  }

  private async goOn(plan: ChainPlan, step: Step, place: number): Promise<void> {
    const before = this.links[place - 1];
    if (before?.limits === undefined) throw new Error('There is no link before.');
    if (step.renewed !== undefined) {
      const { scopes } = before.limits;
      const fewer = scopes.filter((scope) => scope === 'customers:read' || step.renewed?.includes(scope));
      given(await this.renew(this.caller(place), before, fewer));
    }
    const actor = await this.actorAt(place, plan, provenKinds);
    const { limits, scopes, token } = before;
    const room = {
      foreignRegion: this.two.known.foreignRegion,
      scopes,
      regions: limits.boundary.region as readonly string[],
      depthLeft: limits.depthMax - place,
      secondsLeft: Math.floor((Date.parse(limits.expiresAt) - Date.now()) / 1000),
    };
    const wish = wishAt(step, plan.links - place, room);
    await this.tryWider(actor, token, wish, step, room);
    const answer = await this.sendAs(actor, this.caller(place), exchangeForm(token, wish));
    const row = await this.rowOf(answer);
    const request = limitsOfWish(wish, undefined, row);
    this.add(place, actor, answer, row, [{ ...limits, of: 'the token before', scopes }, request]);
  }

  /** Registered clients get tokens for this server alone. */
  private actorAt(place: number, plan: ChainPlan, among: readonly ActorKind[]): Promise<Actor> {
    const planned = plan.kinds[place] ?? 'secret';
    const fits = among.includes(planned) && !(this.resource !== undefined && planned.includes('client'));
    return this.scene.actor(place, fits ? planned : 'secret');
  }

  /** A request that asks for more than the token before gives: it is refused, and makes nothing. */
  private async tryWider(
    actor: Actor,
    subject: string,
    wish: Wish,
    { wider }: Step,
    room: Parameters<typeof widerThan>[2],
  ): Promise<void> {
    if (wider === undefined) return;
    const { identifier } = this.scene.server;
    const other = this.resource === undefined ? identifier : `${this.two.url}/graphql`;
    const form =
      wider === 'resource'
        ? { ...exchangeForm(subject, wish), resource: other }
        : exchangeForm(subject, widerThan(wish, wider, room));
    const before = await this.made();
    const { status, body } = await this.sendAs(actor, this.caller(0), form);
    const after = await this.made();
    if (status !== 400 || body.access_token !== undefined || before !== after)
      this.wider.push(`a wider ${wider}: ${String(status)} ${JSON.stringify(body)}`);
  }

  /** How many delegations the person has. */
  private made(): Promise<number> {
    const { read } = this.two.office.server.database;
    return read.count(delegations, eq<DelegationRow>('userId', this.person.id));
  }

  /** Checks the new link against every one before it, its role and its request. */
  private add(
    place: number,
    actor: Actor,
    answer: TokenAnswer,
    row: DelegationRow,
    also: readonly Limits[],
  ): void {
    const limits = limitsOfRow(`link ${String(place)} by ${place === 0 ? this.flow : 'exchange'}`, row);
    const earlier = this.links.flatMap((one) => (one.limits === undefined ? [] : [one.limits]));
    for (const outer of [...earlier, ...also]) this.wider.push(...beyond(limits, outer));
    if (row.userId !== this.person.id || row.agentId !== actor.agentId || row.depth !== place)
      this.wider.push(`${limits.of} is for other parties`);
    const link = new Link(place, actor, row.id, limits);
    this.keep(link, answer, limits.scopes);
    this.links.push(link);
  }

  /** Checks a token of a link, which is the link's newest from now on. */
  keep(link: Link, { body }: TokenAnswer, wished = link.limits?.scopes ?? []): void {
    const { limits } = link;
    const scopes = (body.scope ?? '').split(' ');
    const ends = Date.now() + (body.expires_in ?? Number.POSITIVE_INFINITY) * 1000;
    if (limits === undefined) return;
    for (const outer of [limits.scopes, wished])
      if (!scopes.every((scope) => outer.includes(scope)))
        this.wider.push(`a token of ${limits.of}: ${scopes.join(' ')}`);
    if (ends > Date.parse(limits.expiresAt) + 1_000) this.wider.push(`a token of ${limits.of} outlives it`);
    link.tokens.push(body.access_token ?? '');
    link.scopes = scopes;
    link.refreshToken = body.refresh_token ?? link.refreshToken;
  }

  private async rowOf(answer: TokenAnswer): Promise<DelegationRow> {
    given(answer);
    const { authorization_details: details } = answer.body as {
      authorization_details?: readonly { readonly delegation?: string }[];
    };
    const id = details?.[0]?.delegation ?? '';
    const row = await this.two.office.server.database.read.byId(delegations, id);
    if (row === undefined) throw new Error(`There is no delegation: ${JSON.stringify(answer.body)}`);
    return row;
  }

  private send(to: Caller, { actor }: Link, form: Record<string, string>): Promise<TokenAnswer> {
    if (actor === undefined) throw new Error('A person has no client.');
    return this.sendAs(actor, to, form);
  }

  private async sendAs(actor: Actor, to: Caller, form: Record<string, string>): Promise<TokenAnswer> {
    return this.two.post(to, '/oauth/token', form, await actor.tokenProof(this.isBound));
  }
}
