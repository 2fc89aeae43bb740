import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { html, type Html } from '../../oauth/pages/html.js';
import { pageHeaders, pageText, type Page } from '../../oauth/pages/page.js';
import { NotThere, underWay } from '../account/change-pages.js';
import type { TaskLine } from '../account/documents.js';
import { failurePage } from '../account/failure-page.js';
import { agentName, signedInAs } from '../account/parts.js';
import { readPerson, type Person } from '../account/person.js';
import type { AccountRoutesParts } from '../account/routes.js';
import { signInLink } from '../account/sign-in.js';
import { SignedOut, Visitor } from '../account/visitor.js';
import { filesPath } from './files.js';

/** The parameters of an operation. A request with one of them is a program's. */
const operation = ['query', 'documentId', 'operationName', 'variables', 'extensions'];

/**
 * `GET /graphql` for a browser is a page. It is recognised by its head: it prefers HTML, brings no token and names no
 * operation. Every other request passes.
 */
export function explorerPage(scope: FastifyInstance, parts: AccountRoutesParts): void {
  scope.addHook('onRequest', (request, reply, next) => {
    const wanted = isForPage(request);
    if (wanted === undefined) next();
    else
      show(parts, request, reply, wanted.get('delegation') ?? '')
        .then((page) => send(reply, page))
        .catch(next);
  });
}

/** The query of the address; undefined for a program. */
function isForPage({ method, url, headers, raw }: FastifyRequest): URLSearchParams | undefined {
  const [path, query = ''] = url.split(/\?(.*)/s);
  if (method !== 'GET' || path !== '/graphql' || headers.authorization !== undefined) return undefined;
  const parameters = new URLSearchParams(query);
  if (operation.some((name) => parameters.has(name))) return undefined;
  const types = ['application/json', 'application/graphql-response+json', 'text/html'];
  return new Negotiator(raw).mediaType(types) === 'text/html' ? parameters : undefined;
}

const send = (reply: FastifyReply, page: Page): FastifyReply =>
  reply.code(page.status).headers(pageHeaders(page)).send(pageText(page));

async function show(
  parts: AccountRoutesParts,
  request: FastifyRequest,
  reply: FastifyReply,
  delegation: string,
): Promise<Page> {
  try {
    const visitor = await Visitor.of(parts, request, reply);
    const person = await readPerson(visitor);
    const tasks = person.own === undefined ? [] : await underWay({ visitor, person });
    const task = tasks.find(({ id }) => id === delegation);
    if (delegation !== '' && task === undefined) throw new NotThere();
    return signedInPage(visitor, person, tasks, task);
  } catch (error) {
    if (!(error instanceof SignedOut)) return failed(parts, error);
    if (request.headers.cookie !== undefined) void reply.header('set-cookie', parts.cookies.endSession());
    return signedOutPage(parts.publicUrl);
  }
}

function failed({ logger }: AccountRoutesParts, error: unknown): Page {
  const page = failurePage(error);
  if (page.status >= 500) logger.error({ err: error }, 'the page of the explorer failed');
  return page;
}

const signedOutPage = (publicUrl: string): Page => ({
  status: 200,
  title: 'Explorer',
  body: html`<h1>Explore the data</h1>
    <p>
      Here you try out GraphQL operations, as yourself or as one of your agents sees it under its task. Each
      of them is recorded.
    </p>
    ${signInLink(publicUrl, 'explorer')}
    <p class="soft">Programs send requests to this same address, <code>${publicUrl}/graphql</code>.</p>`,
});

const file = (name: string): string => `${filesPath}/${name}`;

const signedInPage = (
  visitor: Visitor,
  person: Person,
  tasks: readonly TaskLine[],
  task: TaskLine | undefined,
): Page => ({
  status: 200,
  title: 'Explorer',
  program: {
    styles: ['graphiql.css', 'explorer.css'].map(file),
    scripts: ['react.js', 'react-dom.js', 'graphiql.js', 'explorer.js'].map(file),
  },
  body: html`<h1 class="hidden">Explorer</h1>
    ${signedInAs(visitor, person, html`<a href="/account">Your account</a>`)}
    <div class="as">${chooser(tasks, task)}${asWhom(task)}</div>
    <div
      id="explorer"
      data-form="${visitor.formToken}"
      data-person="${person.id}"
      ${task === undefined ? undefined : html`data-delegation="${task.id}"`}
    >
      <noscript><p>The explorer needs JavaScript. Your account does not.</p></noscript>
    </div>`,
});

const chooser = (tasks: readonly TaskLine[], chosen: TaskLine | undefined): Html | undefined =>
  tasks.length === 0
    ? undefined
    : html`<form method="get" action="/graphql">
        <label for="delegation">Look as</label>
        <select id="delegation" name="delegation">
          <option value="">yourself</option>
          ${tasks.map(
            (task) =>
              html`<option value="${task.id}" ${task === chosen ? html`selected` : undefined}>
                ${agentName(task)}: ${task.purpose} (${task.task})
              </option>`,
          )}
        </select>
        <button type="submit">Go</button>
      </form>`;

const asWhom = (task: TaskLine | undefined): Html =>
  task === undefined
    ? html`<p>You act as yourself. What you change here is changed.</p>`
    : html`<p role="status">
        You see what <strong>${agentName(task)}</strong> sees under this task, and can change nothing. The
        record says that you looked.
      </p>`;
