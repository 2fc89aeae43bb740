import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { badInput } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { isUtf8Target } from '../../core/utf8.js';
import { accountPaths } from '../../oauth/contract/paths.js';
import { checkOrigin, FormError, readForm } from '../../oauth/step/form.js';
import { pageHeaders, pageText, type Page } from '../../oauth/pages/page.js';
import {
  askTakeBack,
  askTakeBackAll,
  askWithdraw,
  takeBack,
  takeBackAll,
  taskPage,
  withdraw,
} from './change-pages.js';
import { askForApplication, requestApplication } from './application-pages.js';
import { failurePage } from './failure-page.js';
import { askHandOver, handOver } from './hand-over.js';
import { homePage, tasksPage } from './home-page.js';
import {
  addPasskey,
  askAddPasskey,
  askRemovePasskey,
  passkeyPage,
  passkeysPage,
  removePasskey,
  renamePasskey,
} from './passkey-pages.js';
import type { Reader } from './parts.js';
import { readPerson } from './person.js';
import { askEndOthers, askEndSignIn, endOthers, endSignIn } from './sign-in-pages.js';
import {
  beginSignIn,
  finishSignIn,
  notSignedInPage,
  signInAgainPage,
  signedOutPage,
  signOut,
  welcomePage,
  type Outcome,
} from './sign-in.js';
import { SignedOut, SignInAgain, Visitor, type AccountParts } from './visitor.js';

export interface AccountRoutesParts extends AccountParts {
  readonly logger: Logger;
}

type Show = (reader: Reader, id: string, query: URLSearchParams) => Promise<Page>;
/** Returns the address of the page with the result, or a page with the form and its faults. */
type Change = (reader: Reader, id: string, form: URLSearchParams) => Promise<string | Page>;

const pages: Readonly<Record<string, Show>> = {
  '/account': (reader, _id, query) =>
    homePage(reader, {
      after: query.get('after') ?? undefined,
      tookBackAll: query.get('done') === 'all',
      endedSignIns: query.get('done') === 'sign-ins',
      withdrawn: query.get('withdrawn') ?? undefined,
    }),
  '/account/tasks': (reader, _id, query) => tasksPage(reader, query.get('after') ?? undefined),
  '/account/tasks/:id': taskPage,
  '/account/tasks/:id/take-back': askTakeBack,
  '/account/take-back-all': askTakeBackAll,
  '/account/consents/:id/withdraw': askWithdraw,
  '/account/sign-ins/:id/end': askEndSignIn,
  '/account/end-other-sign-ins': askEndOthers,
  '/account/hand-over': (reader, _id, query) => askHandOver(reader, query),
  '/account/applications/:id': askForApplication,
  '/account/passkeys': (reader, _id, query) => passkeysPage(reader, query.get('done')),
  '/account/passkeys/add': (reader) => askAddPasskey(reader),
  '/account/passkeys/:id': passkeyPage,
  '/account/passkeys/:id/remove': askRemovePasskey,
};

const keyOf = (form: URLSearchParams): string => form.get('key') ?? '';

const changes: Readonly<Record<string, Change>> = {
  '/account/tasks/:id/take-back': (reader, id, form) => takeBack(reader, id, keyOf(form)),
  '/account/take-back-all': (reader, _id, form) => takeBackAll(reader, keyOf(form)),
  '/account/consents/:id/withdraw': (reader, id, form) => withdraw(reader, id, keyOf(form)),
  '/account/sign-ins/:id/end': (reader, id, form) => endSignIn(reader, id, keyOf(form)),
  '/account/end-other-sign-ins': (reader, _id, form) => endOthers(reader, keyOf(form)),
  '/account/hand-over': (reader, _id, form) => handOver(reader, form),
  '/account/applications/:id': (reader, id, form) => requestApplication(reader, id, keyOf(form)),
  '/account/passkeys/add': (reader, _id, form) => addPasskey(reader, form),
  '/account/passkeys/:id': renamePasskey,
  '/account/passkeys/:id/remove': (reader, id, form) => removePasskey(reader, id, keyOf(form)),
};

/** A person's own pages, for browsers: every page and every change is an operation of the gate. */
export function accountRoutes(scope: FastifyInstance, parts: AccountRoutesParts): void {
  const routes = new AccountRoutes(parts);
  // The routes read forms themselves, after the check that a page of this server sent them.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });
  scope.setErrorHandler((error, request, reply) => routes.fail(request, reply, error));
  scope.get(accountPaths.signIn, (request, reply) =>
    routes.send(reply, beginSignIn(parts, reply, queryOf(request))),
  );
  scope.get(accountPaths.signedIn, async (request, reply) =>
    routes.send(reply, await finishSignIn(parts, request, reply)),
  );
  scope.post('/account/sign-out', (request, reply) => routes.signOut(request, reply));
  for (const [url, show] of Object.entries(pages))
    scope.get(url, (request, reply) => routes.show(request, reply, show));
  for (const [url, change] of Object.entries(changes))
    scope.post(url, (request, reply) => routes.change(request, reply, change));
}

/** `GET /` for browsers. False for a program, which gets no page. */
export function rootPage(parts: AccountRoutesParts, request: FastifyRequest, reply: FastifyReply): boolean {
  const wanted = new Negotiator(request.raw).mediaType(['application/json', 'text/html']);
  if (wanted !== 'text/html') return false;
  const routes = new AccountRoutes(parts);
  const isSignedIn = parts.cookies.sessionIn(request.headers.cookie) !== undefined;
  routes.send(
    reply,
    isSignedIn
      ? { kind: 'redirect', to: accountPaths.home }
      : { kind: 'page', page: welcomePage(parts.publicUrl) },
  );
  return true;
}

class AccountRoutes {
  constructor(private readonly parts: AccountRoutesParts) {}

  async show(request: FastifyRequest, reply: FastifyReply, show: Show): Promise<FastifyReply> {
    const query = queryOf(request);
    const isSignedIn = this.parts.cookies.sessionIn(request.headers.cookie) !== undefined;
    if (query.get('done') === 'signed-out' && !isSignedIn)
      return this.send(reply, this.page(signedOutPage(this.parts.publicUrl)));
    const page = await show(await this.reader(request, reply), idOf(request), query);
    return this.send(reply, this.page(page));
  }

  async change(request: FastifyRequest, reply: FastifyReply, change: Change): Promise<FastifyReply> {
    const form = await this.form(request, reply);
    const to = await change(await this.reader(request, reply), idOf(request), form);
    return this.send(reply, typeof to === 'string' ? { kind: 'redirect', to } : this.page(to));
  }

  async signOut(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await this.form(request, reply);
    const session = this.parts.cookies.sessionIn(request.headers.cookie);
    if (session === undefined) throw new SignedOut();
    return this.send(reply, await signOut(this.parts, request, reply, { session }));
  }

  send(reply: FastifyReply, outcome: Outcome): FastifyReply {
    if (outcome.kind === 'redirect')
      return reply.code(303).headers({ location: outcome.to, 'cache-control': 'no-store' }).send();
    const { page } = outcome;
    return reply.code(page.status).headers(pageHeaders(page)).send(pageText(page));
  }

  fail(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
    const { cookies, publicUrl, logger } = this.parts;
    const [from = ''] = request.url.split('?');
    if (error instanceof SignedOut) {
      void reply.header('set-cookie', cookies.endSession());
      return this.send(reply, this.page(notSignedInPage(publicUrl, from)));
    }
    if (error instanceof SignInAgain) {
      return this.send(reply, this.page(signInAgainPage(publicUrl, error.stepUp, from)));
    }
    const page = failurePage(error);
    if (page.status >= 500) logger.error({ err: error }, 'an account page failed');
    return this.send(reply, this.page(page));
  }

  private page(page: Page): Outcome {
    return { kind: 'page', page };
  }

  private async reader(request: FastifyRequest, reply: FastifyReply): Promise<Reader> {
    const { clock, scopes, changing, customerScopes, hasExplorer } = this.parts;
    const visitor = await Visitor.of(this.parts, request, reply);
    const person = await readPerson(visitor);
    const now = clock.now();
    return { visitor, person, now, scopes, changing, customerScopes, hasExplorer, names: new Map() };
  }

  /** A form of a page that was shown to this very session. Throws `FormError` or `SignedOut`, before anything runs. */
  private async form(request: FastifyRequest, reply: FastifyReply): Promise<URLSearchParams> {
    const { cookies, publicUrl } = this.parts;
    checkOrigin(request.raw, publicUrl);
    // Reads and drops the rest of a form that was too long.
    reply.raw.once('finish', () => request.raw.resume());
    const form = new URLSearchParams((await readForm(request.raw)).toString());
    const session = cookies.sessionIn(request.headers.cookie);
    if (session === undefined) throw new SignedOut();
    if (!cookies.isFormOf(session, form.get('form')))
      throw new FormError(403, 'This form does not belong to your sign-in. Load the page again.');
    return form;
  }
}

const idOf = ({ params }: FastifyRequest): string => (params as { readonly id?: string }).id ?? '';

function queryOf({ url }: FastifyRequest): URLSearchParams {
  if (!isUtf8Target(url)) throw badInput('The query of this address is not UTF-8.');
  return new URL(url, 'http://localhost').searchParams;
}
