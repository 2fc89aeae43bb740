import { passkeyAcr } from '../authority/chain.js';
import type { Authority } from '../authority/authority.js';
import { storeBoundary, type Boundaries } from '../authority/boundary.js';
import { refusalError } from '../authority/explain.js';
import { sessionScope } from '../authority/scope.js';
import { systemClock } from '../core/clock.js';
import { Authorities } from '../delegation/authorities.js';
import { AuthorityEpoch } from '../delegation/authority-epoch.js';
import { readSchemaPolicy } from '../graphql/schema/schema-policy.js';
import { executableSchema } from '../graphql/schema/executable-schema.js';
import { readSdl } from '../graphql/schema/sdl.js';
import { eq } from '../store/sql/condition.js';
import type { Database } from '../store/sql/database.js';
import { delegations, users, type UserRow } from '../store/tables/identity.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { CommandError } from '../core/command-error.js';
import { answer, clean, columns, paint } from './terminal/output.js';

export interface ExplainOptions extends JsonOption {
  readonly delegation?: string;
  readonly user?: string;
  readonly scope?: string;
}

/** `behalf explain` */
export async function explain(options: ExplainOptions): Promise<void> {
  const { definitions } = readSchemaPolicy(executableSchema(readSdl(), []));
  const { scope } = options;
  if (scope !== undefined && !definitions.has(scope)) {
    throw new CommandError(
      `There is no scope ${scope}. There are: ${[...definitions.keys()].sort().join(', ')}.`,
    );
  }
  const authority = await withDatabase((database) => {
    const all = [...definitions.values()];
    const peopleOnly = new Set(all.filter((each) => each.peopleOnly).map((each) => each.name));
    const authorities = new Authorities(
      database.read,
      new AuthorityEpoch(database.read),
      systemClock,
      peopleOnly,
    );
    return authorityOf(database, authorities, options, [...definitions.keys()]);
  });
  if (scope === undefined) answer(options.json, overview(authority), () => overviewLines(authority));
  else answer(options.json, decisionOn(authority, scope), () => decisionLines(authority, scope));
}

async function authorityOf(
  database: Database,
  authorities: Authorities,
  { delegation, user }: ExplainOptions,
  scopes: readonly string[],
): Promise<Authority> {
  if ((delegation === undefined) === (user === undefined)) {
    throw new CommandError('Say whose rights: either --delegation ID or --user NAME.');
  }
  if (delegation === undefined) {
    const person = await database.read.one(users, eq<UserRow>('name', user ?? ''));
    if (person !== undefined) return authorities.ofPerson(database.read, person.id, scopes, passkeyAcr);
    throw new CommandError(`There is no user ${user ?? ''}. \`behalf user list\` shows who there is.`);
  }
  const row = await database.read.byId(delegations, delegation);
  if (row === undefined) throw new CommandError(`There is no delegation ${delegation}.`);
  const expiresAt = Number.MAX_SAFE_INTEGER;
  const fact = { tokenId: '', userId: row.userId, delegationId: delegation, scopes, expiresAt };
  return authorities.resolveInside(database.read, fact);
}

const boundariesOf = (boundaries: Boundaries) => boundaries.map(storeBoundary);

/** `region: europe, asia; person: rosa.lind; customer: all`, or several of them. A missing dimension allows nothing. */
const spoken = ({ person }: Authority['chain'], boundaries: Boundaries): string =>
  boundariesOf(boundaries)
    .map((boundary) => {
      const entries = Object.entries(boundary);
      const sets = entries.flatMap(([dimension, values]) =>
        values === 'all'
          ? []
          : [
              `${dimension}: ${values.map((value) => (value === person.id ? person.name : value)).join(', ')}`,
            ],
      );
      const open = entries.flatMap(([dimension, values]) => (values === 'all' ? [dimension] : []));
      return [...sets, ...(open.length === 0 ? [] : [`${open.join(', ')}: all`])].join('; ') || 'nowhere';
    })
    .join('  or  ') || 'nowhere';

const nameOf = ({ chain }: Authority, layer: Authority['layers'][number]): string => {
  const agent = chain.agents.find(({ id }) => id === layer.id);
  if (agent !== undefined) return `${agent.name} as ${agent.role}`;
  return layer.id === chain.person.id ? chain.person.name : layer.id;
};

const held = (authority: Authority): string[] =>
  [...authority.rights.keys()].filter((scope) => scope !== sessionScope && authority.allows(scope)).sort();

const overview = (authority: Authority) => ({
  chain: authority.chain,
  task: authority.task ?? null,
  layers: authority.layers.map((layer) => ({
    layer: layer.layer,
    id: layer.id,
    name: nameOf(authority, layer),
    scopes: [...layer.rights].map(([scope, where]) => ({ scope, boundaries: boundariesOf(where) })),
    needsApproval: [...layer.needsApproval],
  })),
  effective: held(authority).map((scope) => ({
    scope,
    boundaries: boundariesOf(authority.boundaries(scope)),
  })),
});

function overviewLines(authority: Authority): string[] {
  const { chain, task } = authority;
  const names = [chain.person.name, ...chain.agents.map((agent) => agent.name)].join(' → ');
  const effective = held(authority);
  return [
    paint('bold', clean(names)),
    ...(task === undefined ? [] : [clean(`${task.task}: ${task.purpose} (until ${task.expiresAt})`)]),
    ...authority.layers.flatMap((layer) => [
      '',
      paint('cyan', clean(`${layer.layer} ${nameOf(authority, layer)}`)),
      ...scopeLines(chain, [...layer.rights]),
      ...(layer.needsApproval.size === 0 ? [] : ['  only with approval']),
      ...[...layer.needsApproval].sort().map((name) => `    ${name}`),
    ]),
    '',
    paint('green', `all of these together, and a token of all scopes: ${String(effective.length)} scopes`),
    ...scopeLines(
      chain,
      effective.map((scope) => [scope, authority.boundaries(scope)]),
    ),
  ];
}

/** Scopes grouped by boundary. */
function scopeLines(chain: Authority['chain'], rights: readonly (readonly [string, Boundaries])[]): string[] {
  if (rights.length === 0) return ['  nothing'];
  const places = new Map<string, string[]>();
  for (const [scope, where] of rights) {
    const place = clean(spoken(chain, where));
    places.set(place, [...(places.get(place) ?? []), scope]);
  }
  return [...places].flatMap(([place, scopes]) => [
    `  where ${place}`,
    ...scopes.sort().map((scope) => `    ${scope}`),
  ]);
}

function decisionOn(authority: Authority, scope: string) {
  const decision = authority.decide(scope);
  const layers = authority.layers.map((layer) => ({
    layer: layer.layer,
    name: nameOf(authority, layer),
    holds: scope === sessionScope || layer.rights.has(scope),
    needsApproval: layer.needsApproval.has(scope),
    boundaries: boundariesOf(layer.rights.get(scope) ?? []),
  }));
  if (decision.allow)
    return { scope, ...decision, boundaries: boundariesOf(authority.boundaries(scope)), layers };
  const { message, details } = refusalError(authority, decision);
  return { ...decision, message, hint: details.hint ?? null, layers };
}

function decisionLines(authority: Authority, scope: string): string[] {
  const decision = authority.decide(scope);
  const layers = columns(
    authority.layers.map((layer) => [
      `  ${layer.layer}`,
      clean(nameOf(authority, layer)),
      layer.rights.has(scope) || scope === sessionScope
        ? clean(spoken(authority.chain, layer.rights.get(scope) ?? []))
        : layer.needsApproval.has(scope)
          ? 'only with approval'
          : 'no',
    ]),
  );
  if (decision.allow) {
    const where =
      scope === sessionScope ? 'everywhere' : spoken(authority.chain, authority.boundaries(scope));
    return [`${paint('green', 'allowed')}: ${scope} holds for ${clean(where)}`, ...layers];
  }
  const { message, details } = refusalError(authority, decision);
  const hidden = decision.reason === 'hidden' ? ['It looks as if it did not exist.'] : [];
  return [
    `${paint('red', 'refused')} by ${decision.layer}: ${clean([message, details.hint ?? '', ...hidden].join(' ').trim())}`,
    ...layers,
  ];
}
