import { addIssuer, mapAgent, removeIssuer, unmapAgent } from '../admin/token-issuers.js';
import { readConfig } from '../config.js';
import { findAgent, findIssuer, findProvider } from '../operator/find-by-name.js';
import { change, type AsOption, type Deciding } from '../operator/recorded-change.js';
import { listIssuers } from './operator/list-issuers.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean, columns, paint } from './terminal/output.js';

export interface AddIssuerOptions extends AsOption {
  readonly issuer: string;
  readonly provider: string;
  readonly dialect: string;
  readonly userClaim?: string;
  readonly accept: readonly string[];
  readonly audience?: readonly string[];
  readonly maxAge: number;
  readonly actors: number;
}

const changing = <T>(
  command: string,
  as: string | undefined,
  detail: Readonly<Record<string, unknown>>,
  work: (deciding: Deciding) => Promise<T>,
): Promise<T> =>
  withDatabase((database) =>
    change(database, { command, as, detail }, async (deciding) => {
      await deciding.require('users:manage');
      return work(deciding);
    }),
  );

/** `behalf issuer add` */
export async function add(name: string, options: AddIssuerOptions): Promise<void> {
  const config = readConfig(process.env);
  const { issuer, provider, dialect, userClaim = null, accept, audience = [], maxAge, actors } = options;
  await changing('issuer add', options.as, { name, issuer, provider, dialect }, async (deciding) => {
    const people = await findProvider(deciding.tx, provider);
    const entry = { name, issuer, dialect, userClaim, tokenTypes: accept, audiences: audience };
    const limits = { ageMaxSeconds: maxAge, actorsMax: actors };
    await addIssuer(deciding, deciding.by.id, people, { ...entry, ...limits }, config.BEHALF_ALLOW_HTTP);
  });
  answer(options.json, { command: 'issuer add', name, issuer, provider }, () => [
    `${paint('bold', name)} is trusted for the people of ${provider}.`,
    `Say which agents it names: \`behalf issuer map ${name} ACTOR AGENT\`.`,
  ]);
}

/** `behalf issuer list` */
export async function list(options: JsonOption): Promise<void> {
  const all = await withDatabase((database) => listIssuers(database.read));
  answer(options.json, all, () => [
    ...columns([
      ['name', 'issuer', 'people of', 'dialect', 'accepts', 'max age', 'actors', 'trusted by'],
      ...all.map((one) => [
        ...[one.name, clean(one.issuer), one.provider, one.dialect, one.accepts.join(' ')],
        ...[`${String(one.maxAgeSeconds)}s`, String(one.actorsMax), one.trustedBy ?? 'nobody active'],
      ]),
    ]),
    ...all.flatMap(({ name, agents }) =>
      agents.map(({ actor, agent }) => `${name}: ${clean(actor)} is ${agent}`),
    ),
  ]);
}

/** `behalf issuer map` */
export async function map(name: string, actor: string, agentName: string, options: AsOption): Promise<void> {
  const detail = { name, actor, agent: agentName };
  await changing('issuer map', options.as, detail, async (deciding) => {
    const issuer = await findIssuer(deciding.tx, name);
    const agent = await findAgent(deciding.tx, agentName);
    await mapAgent(deciding, deciding.by.id, issuer, actor, agent);
  });
  answer(
    options.json,
    { command: 'issuer map', ...detail },
    () => `${clean(actor)} in tokens of ${name} is the agent ${paint('bold', agentName)}.`,
  );
}

/** `behalf issuer unmap` */
export async function unmap(name: string, actor: string, options: AsOption): Promise<void> {
  const detail = { name, actor };
  const ended = await changing('issuer unmap', options.as, detail, async (deciding) =>
    unmapAgent(deciding, deciding.by.id, await findIssuer(deciding.tx, name), actor),
  );
  answer(
    options.json,
    { command: 'issuer unmap', ...detail, endedDelegations: ended },
    () => `${clean(actor)} is no agent any more. ${String(ended)} delegations ended.`,
  );
}

/** `behalf issuer remove` */
export async function remove(name: string, options: AsOption): Promise<void> {
  const ended = await changing('issuer remove', options.as, { name }, async (deciding) =>
    removeIssuer(deciding, deciding.by.id, await findIssuer(deciding.tx, name)),
  );
  answer(
    options.json,
    { command: 'issuer remove', name, endedDelegations: ended },
    () => `${paint('bold', name)} is trusted no more. ${String(ended)} delegations ended.`,
  );
}
