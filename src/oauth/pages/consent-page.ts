import type { ConsentOffer, FoundValues } from '../contract/dependencies.js';
import type { DeviceInfo } from '../library/device-codes.js';
import { whereItIsFrom } from './application-origin.js';
import type { Resource } from '../resources.js';
import { consentReach } from './consent-reach.js';
import { consentRights } from './consent-rights.js';
import { whereFrom } from './device-pages.js';
import { durationOptions } from './durations.js';
import { html, type Html } from './html.js';
import { counted, day, duration } from './in-words.js';
import { input, type Input, type Page } from './page.js';

interface ConsentForm {
  readonly action: string;
  readonly formTargets: readonly string[];
  readonly program: string;
  readonly device?: DeviceInfo;
  readonly clientId: string;
  /** The resources of the one task; none for a consent. */
  readonly resources: readonly Resource[];
  readonly offer: ConsentOffer;
  /** Identifies the offer on the page. */
  readonly version: string;
  readonly ticks: {
    readonly scopes: ReadonlySet<string>;
    readonly values: ReadonlyMap<string, readonly string[]>;
    readonly terms: ReadonlyMap<string, string>;
    readonly seconds: number | undefined;
    readonly words: { readonly purpose: string; readonly task: string };
  };
  readonly found: ReadonlyMap<string, FoundValues>;
  readonly fault: ConsentFault | undefined;
}

const faults = {
  changed: {
    status: 409,
    text: 'The rights on this page have changed since you opened it. Read them again. New ones are not ticked.',
  },
  empty: {
    status: 422,
    text: 'Tick at least one thing that the agent may do, and something in every list, or choose “Do not allow”.',
  },
  unfinished: {
    status: 422,
    text: 'You searched and ticked nothing. Tick the results that you want to allow, or clear the search to allow all.',
  },
  untold: {
    status: 422,
    text: 'Say in a line what the task is for, and what it is about.',
  },
  endless: { status: 422, text: 'Choose how long.' },
  gone: { status: 409, text: 'Something that you ticked is not there any more. Look at your choice again.' },
} as const;

export type ConsentFault = keyof typeof faults;

/** Asks for one decision, and says everything that the person must know for it. */
export function consentPage(form: ConsentForm): Page {
  const { offer } = form;
  const fault = form.fault === undefined ? undefined : faults[form.fault];
  const title = `Let ${offer.agent.displayName} work for you?`;
  return {
    status: fault?.status ?? 200,
    title: fault === undefined ? title : `Error: ${title}`,
    formTargets: form.formTargets,
    body: html`<h1>${title}</h1>
      ${fault === undefined ? undefined : html`<p class="faults" role="alert" tabindex="-1" autofocus>${fault.text}</p>`}
      ${whoIsSignedIn(form)} ${whoAsks(form)}
      <form method="post" action="${form.action}">
        <input type="hidden" name="version" value="${form.version}" />
        ${task(form)}
        <h2>What it could see and change</h2>
        <p class="soft">Untick everything that the agent should not do.</p>
        ${consentRights(offer.scopes, form.ticks.scopes)} ${lacking(offer)} ${reach(form)} ${limits(form)}
        ${never}
        <div class="actions">
          <button type="submit" name="action" value="continue">Allow</button>
          <button type="submit" name="action" value="cancel" class="quiet" formnovalidate>
            Do not allow
          </button>
        </div>
      </form>`,
  };
}

const whoIsSignedIn = ({ action, device, offer: { person } }: ConsentForm): Html => {
  const who = html`<p>You are signed in as <strong>${person.displayName}</strong> (${person.name}).</p>`;
  if (device?.backchannel !== undefined) return who;
  return html`<form method="post" action="${action}" class="person">
    ${who}
    <button type="submit" name="action" value="switch" class="link">Sign in as somebody else</button>
  </form>`;
};

const whoAsks = ({
  program,
  clientId,
  device,
  formTargets,
  resources,
  offer: { agent, role, task: one },
}: ConsentForm): Html =>
  html`<dl>
    ${
      one === undefined
        ? html`<dt>The program that asks you</dt>
            <dd>${program} <code class="soft">${clientId}</code>, set up by the operator of this server</dd>
            <dt>The agent that would work for you</dt>`
        : html`${whereItIsFrom(clientId)}
            <dt>The agent that asks you, and would work for you</dt>`
    }
    <dd>
      ${agent.displayName} <code class="soft">${agent.name}</code> in the role
      <code class="soft">${role}</code>, known here since ${day(agent.createdAt)}
    </dd>
    <dt>What it is for</dt>
    <dd>${agent.businessTask}</dd>
    <dt>Who answers for it</dt>
    <dd>${agent.ownerName}</dd>
    ${whereUsed(resources)}
    ${
      one === undefined
        ? undefined
        : device === undefined
          ? html`<dt>Where your browser goes with your answer</dt>
              <dd><strong>${formTargets.join(' ')}</strong></dd>
              ${onThisDevice(formTargets)}`
          : html`${messageOf(device)} ${whereFrom(device)}`
    }
  </dl>`;

/** Any program of a device can listen at its loopback address, or take a scheme of its own (RFC 8252 section 8.6). */
const onThisDevice = (formTargets: readonly string[]): Html | undefined =>
  formTargets.every((target) => target.startsWith('https:'))
    ? undefined
    : html`<dd>
        That is a program on your own device, and any program there could pass itself off as this one. Go on
        only if you have just started it yourself.
      </dd>`;

/** Nothing where it is this server alone. */
const whereUsed = (resources: readonly Resource[]): Html | undefined =>
  resources.some(({ server }) => server !== undefined)
    ? html`<dt>Where it could use this</dt>
        ${resources.map(({ identifier, server }) =>
          server === undefined
            ? html`<dd>This server <code class="soft">${identifier}</code></dd>`
            : html`<dd>
                Another server, ${server.name} <code class="soft">${identifier}</code>, which learns who you
                are and what you allow
              </dd>`,
        )}`
    : undefined;

/** The message that the person compares with the one that the program shows or says elsewhere. */
const messageOf = ({ backchannel }: DeviceInfo): Html | undefined =>
  backchannel?.message === undefined
    ? undefined
    : html`<dt>The agent’s words about this request</dt>
        <dd><q>${backchannel.message}</q></dd>`;

/** The one task: the words of the agent, and fields for those that it leaves out. */
const task = ({ offer: { task: one }, ticks: { words } }: ConsentForm): Html | undefined =>
  one === undefined
    ? undefined
    : html`<h2>For which task</h2>
        <p>It is for one task alone.</p>
        ${
          one.purpose === undefined
            ? line({
                id: 'purpose',
                label: 'What the task is for',
                hint: 'A sentence, for you and for those who read the records.',
                value: words.purpose,
              })
            : said('What it is for, in the agent’s words', one.purpose)
        }
        ${
          one.task === undefined
            ? line({
                id: 'task',
                label: 'What it is about',
                hint: 'A reference such as ticket:T-4021. It is a label and limits nothing.',
                value: words.task,
              })
            : said('What it is about, in the agent’s words', one.task)
        }`;

const said = (label: string, words: string): Html =>
  html`<dl>
    <dt>${label}</dt>
    <dd><q>${words}</q></dd>
  </dl>`;

const line = (field: Pick<Input, 'id' | 'label' | 'hint' | 'value'>): Html =>
  input({ ...field, type: 'text', autocomplete: 'off', faults: [] });

const lacking = ({ lacking: scopes }: ConsentOffer): Html | undefined =>
  scopes.length === 0
    ? undefined
    : html`<h2>What you do not hold</h2>
        <p>The program asked for this too. You do not hold it, so the agent will not have it either:</p>
        <ul>
          ${scopes.map(({ name, description }) => html`<li>${description} <code class="soft">${name}</code></li>`)}
        </ul>`;

const reach = ({
  action,
  offer: { boundary },
  ticks: { values: ticked, terms },
  found,
}: ConsentForm): Html | undefined => consentReach({ action, boundary, ticked, terms, found });

const limits = (form: ConsentForm): Html =>
  form.offer.task === undefined ? ofTasksToCome(form) : ofOneTask(form);

const ofTasksToCome = ({ program, ticks, offer: { limits: each, seconds } }: ConsentForm): Html =>
  html`<h2>How long, and how much</h2>
    <ul>
      <li>The agent can begin a task only while ${program} is signed in for you.</li>
      <li>
        One task ends after ${duration(each.seconds)} at the latest. Until then it can make
        ${counted(each.operations, 'request')} and see or change ${counted(each.rows, 'record')}, no more.
      </li>
      <li>${passedOn(each.depth, 'a task')}</li>
      <li>What you allow here ends with the time below. You can take it back before, at any time.</li>
    </ul>
    ${time('How long it may begin tasks with your sign-in', seconds.max, ticks.seconds)}`;

const ofOneTask = ({ ticks, offer: { limits: one, seconds } }: ConsentForm): Html =>
  html`<h2>How long, and how much</h2>
    <ul>
      <li>
        The agent can make ${counted(one.operations, 'request')} and see or change
        ${counted(one.rows, 'record')}, no more.
      </li>
      <li>${passedOn(one.depth, 'the task')}</li>
      <li>The task ends with the time below. You can take it back before, at any time.</li>
    </ul>
    ${time('How long it may work on the task', seconds.max, ticks.seconds)}`;

const passedOn = (depth: number, what: string): string =>
  depth === 0
    ? `It cannot pass ${what} on to other agents.`
    : `It can pass a part of ${what} on to another agent, up to ${counted(depth, 'time')} in a row, and never more than it has itself.`;

const time = (label: string, max: number, chosen: number | undefined): Html =>
  html`<label for="seconds">${label}</label>
    <select id="seconds" name="seconds">
      ${durationOptions(max, chosen)}
    </select>`;

const never = html`<h2>What it can never do</h2>
  <ul>
    <li>More than you may do yourself. If you lose a right, the agent loses it at the same moment.</li>
    <li>Anything that is not ticked above.</li>
    <li>Manage people, agents or roles, or give itself more rights.</li>
  </ul>
  <p>Everything that it does is recorded under your name.</p>`;
