import * as oauth from 'oauth4webapi';
import type { Shown } from '../parts/oauth/browser.js';
import { callback } from './asking-agents.js';
import { backchannelGrant, linksOn } from './back-channel.js';
import { actorKinds, provenKinds, type Actor, type ActorKind } from './chain-actors.js';
import type { Wish } from './chain-limits.js';
import type { OtherIssuer } from './chain-parties.js';
import type { Person } from './chain-person.js';
import { accessTokenType, type TokenAnswer } from './office.js';
import type { Caller, TwoServers } from './two-servers.js';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** A request for the first token of a chain. */
export interface First {
  readonly two: TwoServers;
  readonly person: Person;
  readonly issuer: OtherIssuer;
  readonly actor: Actor;
  readonly wish: Wish;
  /** What the person leaves ticked, of what is asked on a page. */
  readonly left: readonly string[];
  /** Undefined: this server itself. */
  readonly resource: string | undefined;
  /** Whether the token is bound to a key (RFC 9449). */
  readonly isBound: boolean;
  /** Where the request of each turn is sent. */
  readonly caller: (turn: number) => Caller;
}

interface Flow {
  /** The kinds of clients that may use it. */
  readonly kinds: readonly ActorKind[];
  /** It needs the person's consent to the agent beforehand. */
  readonly restsOnConsent: boolean;
  /** Its token may be for another server. */
  readonly anyResource: boolean;
  /** The person decides on a page. */
  readonly isAsked: boolean;
  readonly request: (first: First) => Promise<TokenAnswer>;
}

const taskOf = ({ regions, depth, seconds }: Wish): object => ({
  ...{ type: 'behalf_delegation', task: 'ticket:T-1', purpose: 'A link of a chain' },
  ...{ boundary: { region: regions }, limits: { depth, expiresInSeconds: seconds } },
});
const resourceOf = (resource: string | undefined): Record<string, string> =>
  resource === undefined ? {} : { resource };

/** The parameters by which a request describes its task. */
export const formOf = (wish: Wish, resource: string | undefined): Record<string, string> => ({
  scope: wish.scopes.join(' '),
  authorization_details: JSON.stringify([taskOf(wish)]),
  ...resourceOf(resource),
});

const send = async (
  { two, actor, caller, isBound }: First,
  turn: number,
  form: Record<string, string>,
): Promise<TokenAnswer> => two.post(caller(turn), '/oauth/token', form, await actor.tokenProof(isBound));

const begin = async (
  { two, actor, caller }: First,
  path: '/oauth/par' | '/oauth/device_authorization' | '/oauth/backchannel_authentication',
  form: Record<string, string>,
): Promise<Readonly<Record<string, string | undefined>>> => {
  const { body } = await two.post(caller(1), path, form, await actor.proof());
  return body as Readonly<Record<string, string | undefined>>;
};

/** The next agent exchanges the token of the one before it, or of the person (RFC 8693). */
export const exchangeForm = (subject: string, wish: Wish): Record<string, string> => ({
  ...{ grant_type: tokenExchange, subject_token: subject, subject_token_type: accessTokenType },
  ...formOf(wish, undefined),
});

/** A token under a delegation that is there. */
export const underForm = (
  delegation: string,
  scopes: readonly string[],
  resource: string | undefined,
): Record<string, string> => ({
  ...{ grant_type: 'client_credentials', scope: scopes.join(' ') },
  authorization_details: JSON.stringify([{ type: 'behalf_delegation', delegation }]),
  ...resourceOf(resource),
});

async function underDelegation(first: First): Promise<TokenAnswer> {
  const { person, actor, wish, caller, resource } = first;
  const delegation = await person.delegate(caller(0), actor, wish);
  return send(first, 1, underForm(delegation, wish.scopes, resource));
}

async function byExchange(first: First): Promise<TokenAnswer> {
  const { person, wish, caller } = first;
  return send(first, 1, exchangeForm(await person.own(caller(0)), wish));
}

async function byForeignToken(first: First): Promise<TokenAnswer> {
  const { issuer, person, actor, wish, resource } = first;
  const subject = await issuer.token(person.sub, actor, 'at+jwt');
  return send(first, 1, { ...exchangeForm(subject, wish), ...resourceOf(resource) });
}

async function byIdJag(first: First): Promise<TokenAnswer> {
  const { issuer, person, actor, wish, resource } = first;
  const assertion = await issuer.token(person.sub, actor, 'oauth-id-jag+jwt');
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
  return send(first, 1, { ...grant, ...formOf(wish, resource) });
}

/** The form says more than the page offered. */
const answerOf = ({ left }: First): { readonly scope: readonly string[] } => ({
  scope: [...left, 'invoices:issue'],
});

async function byCode(first: First, isPushed: boolean): Promise<TokenAnswer> {
  const { two, person, actor, wish, resource, caller } = first;
  const verifier = oauth.generateRandomCodeVerifier();
  const parameters = {
    ...{ response_type: 'code', client_id: actor.name, redirect_uri: callback, state: 'a-state' },
    ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
    ...formOf(wish, resource),
  };
  let query: Record<string, string> = parameters;
  if (isPushed) {
    const { request_uri: uri = '' } = await begin(first, '/oauth/par', parameters);
    query = { client_id: actor.name, request_uri: uri };
  }
  const browser = two.browser(caller(0));
  const returned = await two.asPerson(person.sub, ['Care'], async () => {
    const form = await browser.open(`${two.url}/oauth/authorize?${new URLSearchParams(query).toString()}`);
    return browser.submit(await two.throughProvider(browser, form), answerOf(first));
  });
  const code = new URL(returned.url).searchParams.get('code');
  if (code === null) throw new Error(`There is no code: ${returned.url} ${returned.html}`);
  const grant = { grant_type: 'authorization_code', redirect_uri: callback, code, code_verifier: verifier };
  return send(first, 1, grant);
}

async function byDevice(first: First): Promise<TokenAnswer> {
  const { two, person, wish, resource, caller } = first;
  const begun = await begin(first, '/oauth/device_authorization', formOf(wish, resource));
  const { device_code: code = '', verification_uri_complete: link = '' } = begun;
  const browser = two.browser(caller(0));
  const shown: Shown = await two.asPerson(person.sub, ['Care'], async () => {
    const form = await browser.submit(await browser.open(link), { confirm: 'yes' });
    return browser.submit(await two.throughProvider(browser, form), answerOf(first));
  });
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: code };
  const answer = await send(first, 0, grant);
  if (answer.status !== 200) throw new Error(`Nothing was allowed: ${shown.html}`);
  return answer;
}

/** The agent names the person, who finds the request at the account page (OpenID CIBA). */
async function byBackchannel(first: First): Promise<TokenAnswer> {
  const { two, person, wish, resource, caller } = first;
  const form = formOf({ ...wish, scopes: ['openid', ...wish.scopes] }, resource);
  const hint = { login_hint: await person.userName(caller(0)) };
  const { auth_req_id: id = '' } = await begin(first, '/oauth/backchannel_authentication', {
    ...form,
    ...hint,
  });
  const browser = two.browser(caller(0));
  const decided: Shown = await two.asPerson(person.sub, ['Care'], async () => {
    const home = await two.throughProvider(browser, await browser.open(`${two.url}/account/sign-in`));
    const page = await browser.open(`${two.url}${linksOn(home)[0] ?? ''}`);
    const signIn = await browser.submit(page, { confirm: 'yes' });
    return browser.submit(await two.throughProvider(browser, signIn), answerOf(first));
  });
  const answer = await send(first, 0, { grant_type: backchannelGrant, auth_req_id: id });
  if (answer.status !== 200) throw new Error(`Nothing was allowed: ${decided.html}`);
  return answer;
}

const proven = { kinds: provenKinds, isAsked: false };
const asked = { kinds: actorKinds, isAsked: true, restsOnConsent: false, anyResource: true };

/** The ways to the first token of a chain. A new one is an entry here. */
export const flows = {
  'token exchange': { ...proven, restsOnConsent: true, anyResource: false, request: byExchange },
  'client credentials': { ...proven, restsOnConsent: false, anyResource: true, request: underDelegation },
  'foreign token': { ...proven, restsOnConsent: true, anyResource: true, request: byForeignToken },
  'ID-JAG': { ...proven, restsOnConsent: true, anyResource: true, request: byIdJag },
  code: { ...asked, request: (first) => byCode(first, false) },
  'pushed request': { ...asked, request: (first) => byCode(first, true) },
  device: { ...asked, request: byDevice },
  'backchannel request': { ...asked, kinds: provenKinds, request: byBackchannel },
} as const satisfies Record<string, Flow>;

export type FlowName = keyof typeof flows;
export const flowNames = Object.keys(flows) as readonly FlowName[];
export const flowOf = (name: FlowName): Flow => flows[name];
