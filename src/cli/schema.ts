import { buildSchema, printSchema as sdlOf } from 'graphql';
import { sessionScope, type Scope } from '../authority/scope.js';
import { CommandError } from '../core/command-error.js';
import { ceilingOfAgent } from '../delegation/role-loader.js';
import { printDefinitions } from '../graphql/schema/print-schema.js';
import { readSchemaPolicy } from '../graphql/schema/schema-policy.js';
import { Views } from '../graphql/view/views.js';
import { eq, isIn } from '../store/sql/condition.js';
import { agentRoles, agents, roles, type AgentRow, type RoleRow } from '../store/tables/identity.js';
import { servedSdl } from './operator/served-sdl.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer } from './terminal/output.js';

export interface SchemaOptions extends JsonOption {
  readonly agent?: string;
}

/** `behalf schema print` */
export async function printSchema(names: readonly string[], { json, agent }: SchemaOptions): Promise<void> {
  const definitions = printDefinitions(agent === undefined ? servedSdl() : await sdlOfAgent(agent));
  const missing = names.find((name) => !definitions.some((one) => one.name === name));
  if (missing !== undefined)
    throw new CommandError(`There is no type ${missing}. \`behalf schema print\` shows all.`);
  const shown = definitions.filter(({ name }) => names.length === 0 || names.includes(name ?? ''));
  const sdl = shown.map(({ text }) => text).join('\n\n');
  answer(json, { sdl }, () => [sdl]);
}

/**
 * The types and fields that the roles of an agent can reach within the ceiling of its client, as its own operations see
 * them.
 */
async function sdlOfAgent(name: string): Promise<string> {
  const held = await scopesOfAgent(name);
  const schema = buildSchema(servedSdl());
  const policy = readSchemaPolicy(schema);
  const ceiling = held.filter((scope) => policy.definitions.get(scope)?.peopleOnly !== true);
  return sdlOf(new Views(schema, policy).of(new Set([sessionScope, ...ceiling])).schema);
}

const scopesOfAgent = (name: string): Promise<readonly Scope[]> =>
  withDatabase(async ({ read }) => {
    const agent = await read.one(agents, eq<AgentRow>('name', name));
    if (agent === undefined)
      throw new CommandError(`There is no agent ${name}. \`behalf agent list\` shows which there are.`);
    const links = await read.select(agentRoles, eq('agentId', agent.id));
    const ids = links.map(({ roleId }) => roleId);
    const rows = await read.select(roles, isIn<RoleRow>('id', ids));
    const client = await ceilingOfAgent(read, agent.id);
    return rows.flatMap(({ scopes }) => scopes).filter((scope) => client?.has(scope) !== false);
  });
