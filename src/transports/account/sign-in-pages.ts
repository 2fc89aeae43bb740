import { upperFirst } from '../../core/words.js';
import { hostInId } from '../../oauth/pages/application-origin.js';
import { html, type Html } from '../../oauth/pages/html.js';
import { counted } from '../../oauth/pages/in-words.js';
import type { Page } from '../../oauth/pages/page.js';
import { NotThere, question } from './change-pages.js';
import {
  endOtherSignInsDocument,
  endSignInDocument,
  signInsDocument,
  signInsMax,
  type SignIn,
  type SignInsAnswer,
} from './sign-in-documents.js';
import { askLink, type Reader } from './parts.js';
import { time } from './words.js';

async function ownSignIns({ visitor, person }: Reader): Promise<SignInsAnswer['signIns']> {
  if (!person.holds('users:read')) throw new NotThere();
  const { signIns } = await visitor.run(signInsDocument, { filter: { personId: person.id } });
  return signIns;
}

const browsers: readonly (readonly [mark: RegExp, name: string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/(Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const systems: readonly (readonly [mark: RegExp, name: string])[] = [
  [/Windows/, 'Windows'],
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

/** A browser in a few words, such as `Firefox on Windows`; the beginning of its own text for an unknown one. */
export function browserWords(userAgent: string | null): string {
  if (userAgent === null) return 'A browser that did not say what it is';
  const named = (list: typeof browsers): string | undefined =>
    list.find(([mark]) => mark.test(userAgent))?.[1];
  const [browser, system] = [named(browsers), named(systems)];
  if (browser === undefined) return userAgent.slice(0, 60);
  return system === undefined ? browser : `${browser} on ${system}`;
}

const methodWords = ({ method, provider }: SignIn): string => {
  if (method === 'PROVIDER') return `With ${provider ?? 'an identity provider'}`;
  return method === 'PASSKEY' ? 'With a passkey' : 'With a password';
};

const signInCard = (signIn: SignIn): Html => {
  const { id, program, clientId, isCurrent, createdAt, lastUsedAt, expiresAt, address, userAgent } = signIn;
  const host = hostInId(clientId);
  return html`<article class="card" aria-labelledby="sign-in-${id}">
    <h3 id="sign-in-${id}">
      ${upperFirst(program)}${isCurrent ? html` <strong>(this one)</strong>` : undefined}
    </h3>
    <dl class="facts">
      ${
        host === undefined
          ? undefined
          : html`<div>
              <dt>Where the application is from</dt>
              <dd><strong>${host}</strong></dd>
            </div>`
      }
      <div>
        <dt>Since</dt>
        <dd>${time(createdAt)}</dd>
      </div>
      <div>
        <dt>Last used</dt>
        <dd>${time(lastUsedAt)}</dd>
      </div>
      <div>
        <dt>Ends by itself</dt>
        <dd>${time(expiresAt)}</dd>
      </div>
      <div>
        <dt>How</dt>
        <dd>${methodWords(signIn)}</dd>
      </div>
      <div>
        <dt>Where</dt>
        <dd>${browserWords(userAgent)}, at <code>${address}</code></dd>
      </div>
    </dl>
    ${
      isCurrent
        ? undefined
        : html`<p class="actions">
            ${askLink(`/account/sign-ins/${id}/end`, 'End', `the sign-in of ${program}, since ${createdAt}`)}
          </p>`
    }
  </article>`;
};

const goOn = html`<p>
  The next request of an ended sign-in is refused. Tasks that you handed over with it go on: take them back
  where you do not know them.
</p>`;

/** The current sign-ins. Undefined where the person's roles show none. */
export async function signInsPart(reader: Reader, wereEnded: boolean): Promise<Html | undefined> {
  if (!reader.person.holds('users:read')) return undefined;
  const { nodes, pageInfo } = await ownSignIns(reader);
  const others = nodes.filter(({ isCurrent }) => !isCurrent);
  return html`<h2 id="sign-ins">Your sign-ins</h2>
    ${
      wereEnded
        ? html`<p class="notice" role="status">
            ${others.length === 0 ? 'Only this sign-in is left.' : `Left beside this sign-in: ${counted(others.length, 'sign-in')}.`}
          </p>`
        : undefined
    }
    ${nodes.map(signInCard)}
    ${pageInfo.hasNextPage ? html`<p class="soft">Only the newest ${signInsMax} are shown.</p>` : undefined}
    ${
      others.length === 0
        ? undefined
        : html`<p class="actions">
            <a class="button quiet" href="/account/end-other-sign-ins">End all other sign-ins</a>
          </p>`
    }`;
}

async function otherSignIn(reader: Reader, id: string): Promise<SignIn> {
  const { nodes } = await ownSignIns(reader);
  const signIn = nodes.find((one) => one.id === id && !one.isCurrent);
  if (signIn === undefined) throw new NotThere();
  return signIn;
}

const line = (signIn: SignIn): Html =>
  html`<strong>${signIn.program}</strong>, since ${time(signIn.createdAt)}, ${browserWords(signIn.userAgent)}`;

/** Asks before a sign-in is ended. */
export async function askEndSignIn(reader: Reader, id: string): Promise<Page> {
  const signIn = await otherSignIn(reader, id);
  const consequence = html`<p>${line(signIn)}</p>
    ${goOn}`;
  const texts = { title: 'End this sign-in?', consequence, yes: 'End it', no: '/account' };
  return question(reader, texts, `/account/sign-ins/${id}/end`);
}

/** Ends a sign-in. Returns the address that shows those that are left. */
export async function endSignIn(reader: Reader, id: string, key: string): Promise<string> {
  if (!reader.person.holds('users:read')) throw new NotThere();
  await reader.visitor.run(endSignInDocument, { id, key });
  return '/account?done=sign-ins#sign-ins';
}

/** Asks before all other sign-ins are ended, and names them. */
export async function askEndOthers(reader: Reader): Promise<Page> {
  const { nodes } = await ownSignIns(reader);
  const consequence = html`<ul>
      ${nodes.filter(({ isCurrent }) => !isCurrent).map((one) => html`<li>${line(one)}</li>`)}
    </ul>
    ${goOn}`;
  const texts = { title: 'End all other sign-ins?', consequence, yes: 'End all others', no: '/account' };
  return question(reader, texts, '/account/end-other-sign-ins');
}

/** Ends every sign-in but this one. */
export async function endOthers(reader: Reader, key: string): Promise<string> {
  if (!reader.person.holds('users:read')) throw new NotThere();
  await reader.visitor.run(endOtherSignInsDocument, { key });
  return '/account?done=sign-ins#sign-ins';
}
