import {
  acceptDocument,
  admitClient,
  createClient,
  startClient,
  stopClient,
  type ClientTerms,
} from '../admin/clients.js';
import type { Surroundings } from '../admin/client-ceilings.js';
import { readConfig } from '../config.js';
import { CommandError } from '../core/command-error.js';
import { certificateInput, type CertificateOptions } from './agent-certificate.js';
import { findClient, findRole, findUser } from '../operator/find-by-name.js';
import { change, type AsOption, type Change, type Deciding } from '../operator/recorded-change.js';
import type { Database } from '../store/sql/database.js';
import type { ClientRow } from '../store/tables/clients.js';
import { clientShown, listClients, type ListedClient } from './operator/list-clients.js';
import { servedSchema } from './operator/served-schema.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean, columns, paint } from './terminal/output.js';
import { readText } from './terminal/read-text.js';

/** How a client is let in. */
export interface TermsOptions extends AsOption {
  readonly agent?: string;
  readonly task?: string;
  readonly owner?: string;
  readonly role: readonly string[];
  readonly ownTool?: boolean;
  readonly scope?: readonly string[];
  readonly resource?: readonly string[];
}

/** The client as its reader knows it. */
export interface VersionOptions extends AsOption {
  readonly expectedVersion: string;
}

export interface CreateOptions extends TermsOptions, CertificateOptions {
  readonly redirectUri: readonly string[];
  readonly name?: string;
  readonly publicKeys?: string;
  readonly notificationEndpoint?: string;
}

export interface ListOptions extends JsonOption {
  readonly status?: string;
}

async function termsOf(deciding: Deciding, options: TermsOptions): Promise<ClientTerms> {
  const { agent: name, task, owner, role: roleNames, ownTool, scope: scopes, resource: resources } = options;
  if ((name !== undefined) === (ownTool === true))
    throw new CommandError('Say either `--agent NAME` or `--own-tool`.');
  if (name === undefined) return { scopes, resources };
  if (task === undefined || owner === undefined)
    throw new CommandError('Say what the agent is for, and who answers for it: `--task TEXT --owner USER`.');
  await deciding.require('agents:manage');
  if (roleNames.length > 0) await deciding.require('roles:assign');
  const { id: ownerId } = await findUser(deciding.tx, owner);
  const roles = [];
  for (const role of roleNames) roles.push(await findRole(deciding.tx, role, 'agent'));
  return { scopes, resources, agent: { name, businessTask: task, ownerId, roles } };
}

export const changing = <T>(
  command: string,
  as: string | undefined,
  detail: Readonly<Record<string, unknown>>,
  work: (deciding: Deciding) => Promise<T>,
): Promise<T> => withDatabase((database) => changeIn(database, { command, as, detail }, work));

const changeIn = <T>(database: Database, event: Change, work: (deciding: Deciding) => Promise<T>) =>
  change(database, event, async (deciding) => {
    await deciding.require('clients:manage');
    return work(deciding);
  });

/** The server and its schema, which the ceilings of a client have to fit. */
export async function surroundingsOf(database: Database): Promise<Surroundings> {
  const { publicUrl } = readConfig(process.env);
  return { publicUrl, knownScopes: new Set((await servedSchema(database)).policy.definitions.keys()) };
}

/** A change of the ceilings of a client. */
export const decideTerms = <T>(
  event: Change,
  work: (deciding: Deciding, around: Surroundings) => Promise<T>,
): Promise<T> =>
  withDatabase(async (database) => {
    const around = await surroundingsOf(database);
    return changeIn(database, event, (deciding) => work(deciding, around));
  });

/** `behalf client create` */
export async function create(clientId: string, options: CreateOptions): Promise<void> {
  const { name = clientId, redirectUri: redirectUris, notificationEndpoint, as } = options;
  const publicKeys = options.publicKeys === undefined ? null : readText(options.publicKeys);
  const detail = { clientId, agent: options.agent ?? null };
  await decideTerms({ command: 'client create', as, detail }, async (deciding, around) => {
    const terms = await termsOf(deciding, options);
    const proofs = { ...certificateInput(options), publicKeys };
    const input = { ...terms, ...proofs, clientId, name, redirectUris, notificationEndpoint };
    await createClient(deciding, deciding.by.id, input, around);
  });
  answer(options.json, { clientId, agent: options.agent ?? null }, () => [
    `${paint('bold', clientId)} is a client${options.agent === undefined ? '' : ` that acts as ${options.agent}`}.`,
  ]);
}

/** The client, where it still has this version: its document may name other keys by now. */
export async function clientAt(
  { tx }: Pick<Deciding, 'tx'>,
  clientId: string,
  { expectedVersion }: VersionOptions,
): Promise<ClientRow> {
  const client = await findClient(tx, clientId);
  if (expectedVersion !== String(client.version))
    throw new CommandError(`This client has changed. Look at it again: \`behalf client show ${clientId}\`.`);
  return client;
}

/** `behalf client admit` */
export async function admit(clientId: string, options: TermsOptions & VersionOptions): Promise<void> {
  const detail = { clientId, agent: options.agent ?? null };
  const event = { command: 'client admit', as: options.as, detail };
  const client = await decideTerms(event, async (deciding, around) => {
    const terms = await termsOf(deciding, options);
    const seen = await clientAt(deciding, clientId, options);
    return admitClient(deciding, deciding.by.id, seen, terms, around);
  });
  answer(options.json, { command: 'client admit', ...detail, version: client.version }, () => [
    `${paint('bold', clean(clientId))} is admitted: answers to its requests may go to`,
    ...client.redirectUris.map((uri) => `  ${clean(uri)}`),
  ]);
}

/** `behalf client list` */
export async function list({ status, json }: ListOptions): Promise<void> {
  const all = await withDatabase((database) => listClients(database.read));
  const shown = all.filter((client) => status === undefined || client.status === status);
  answer(json, shown, () =>
    columns([
      ['client id', 'name', 'registered by', 'status', 'acts as', 'scopes'],
      ...shown.map((client) => [
        ...[clean(client.clientId), clean(client.name), client.registration, client.status],
        ...[actsAs(client), client.scopes?.join(' ') ?? 'no ceiling'],
      ]),
    ]),
  );
}

const actsAs = ({ agent, ownTool }: ListedClient): string =>
  ownTool ? 'the person' : agent === null ? 'nobody yet' : clean(agent);

/** `behalf client show` */
export async function show(clientId: string, { json }: JsonOption): Promise<void> {
  const client = await withDatabase((database) => clientShown(database.read, clientId));
  if (client === undefined)
    throw new CommandError(`There is no client ${clientId}. \`behalf client list\` shows which there are.`);
  answer(json, client, () => [
    `${paint('bold', clean(client.clientId))}: ${clean(client.name)}`,
    `${client.status}, registered by ${client.registration}, acts as ${actsAs(client)}`,
    `version ${String(client.version)}`,
    `authenticates by ${client.authMethod}`,
    ...(client.publicKeys === null ? [] : [`its keys: ${clean(JSON.stringify(client.publicKeys))}`]),
    ...(client.certificateName === null
      ? []
      : [
          `the name in its certificates: ${client.certificateName.kind}=${clean(client.certificateName.value)}`,
        ]),
    `its tokens are bound to: ${client.tokenBinding}`,
    ...client.redirectUris.map((uri) => `redirect URI: ${clean(uri)}`),
    ...client.requests.map(({ person, at }) => `asked for by ${clean(person)}, ${at}`),
    ...(client.notificationEndpoint === null
      ? []
      : [`is told of decisions at ${clean(client.notificationEndpoint)}`]),
    `scopes: ${client.scopes?.join(' ') ?? 'no ceiling of its own'}`,
    ...(client.changedTo === null
      ? []
      : [`its document says something else now: ${clean(JSON.stringify(client.changedTo))}`]),
    `resources: ${resourcesOf(client)}`,
  ]);
}

const resourcesOf = ({ resources }: ListedClient): string =>
  resources === null
    ? 'those of this server'
    : resources.length === 0
      ? 'none: they were removed'
      : resources.map(clean).join(' ');

const setting =
  (command: string, outcome: string, set: (deciding: Deciding, client: ClientRow) => Promise<void>) =>
  async (clientId: string, options: AsOption): Promise<void> => {
    await changing(command, options.as, { clientId }, async (deciding) =>
      set(deciding, await findClient(deciding.tx, clientId)),
    );
    answer(options.json, { clientId, command }, () => `${paint('bold', clean(clientId))} ${outcome}.`);
  };

/** `behalf client accept` */
export async function accept(clientId: string, options: VersionOptions): Promise<void> {
  await changing('client accept', options.as, { clientId }, async (deciding) => {
    await acceptDocument(deciding, deciding.by.id, await clientAt(deciding, clientId, options));
  });
  answer(options.json, { clientId, command: 'client accept' }, () => [
    `${paint('bold', clean(clientId))} is what its document says.`,
  ]);
}

/** `behalf client stop` */
export const stop = setting('client stop', 'is stopped', (deciding, client) => stopClient(deciding, client));

/** `behalf client start` */
export const start = setting('client start', 'goes on', (deciding, client) =>
  startClient(deciding, deciding.by.id, client),
);
