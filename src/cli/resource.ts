import { addResourceServer, removeResourceServer } from '../admin/resource-servers.js';
import { readConfig } from '../config.js';
import { findResourceServer } from '../operator/find-by-name.js';
import { change, type AsOption } from '../operator/recorded-change.js';
import { all } from '../store/sql/condition.js';
import { resourceServers } from '../store/tables/resource-servers.js';
import { servedSchema } from './operator/served-schema.js';
import { credentialRules } from './credential-rules.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean, columns, paint } from './terminal/output.js';
import { readText } from './terminal/read-text.js';
import { handingOver } from './terminal/secret-file.js';

export interface AddResourceOptions extends AsOption {
  readonly identifier: string;
  readonly scope: readonly string[];
  readonly publicKeys?: string;
  readonly secretFile?: string;
}

/** `behalf resource add` */
export async function add(name: string, options: AddResourceOptions): Promise<void> {
  const { publicUrl } = readConfig(process.env);
  const { identifier, scope: scopes } = options;
  const publicKeys = options.publicKeys === undefined ? null : readText(options.publicKeys);
  const event = { command: 'resource add', as: options.as, detail: { resource: name, identifier, scopes } };
  let clientId = '';
  const handed = await handingOver('secret', options.secretFile, (keep) =>
    withDatabase(async (database) => {
      const knownScopes = new Set((await servedSchema(database)).policy.definitions.keys());
      await change(database, event, async (deciding) => {
        await deciding.require('resource_servers:manage');
        const input = { name, identifier, scopes, publicKeys };
        const { row, secret } = await addResourceServer(deciding, input, {
          ...credentialRules(),
          ...{ publicUrl, knownScopes },
        });
        clientId = row.id;
        if (secret !== null) keep(secret);
      });
    }),
  );
  answer(options.json, { name, identifier, clientId, ...handed.json }, () => [
    `Agents and people can get tokens for ${paint('bold', identifier)}.`,
    `It introspects them at ${publicUrl}/oauth/introspect with the client id ${paint('bold', clientId)}.`,
    handed.text,
  ]);
}

/** `behalf resource list` */
export async function list(options: JsonOption): Promise<void> {
  const rows = await withDatabase((database) =>
    database.read.select(resourceServers, all(), { order: [{ column: 'name', direction: 'asc' }] }),
  );
  const told = rows.map(({ id, name, identifier, scopes, authMethod }) => ({
    ...{ name, identifier, clientId: id, scopes, authMethod },
  }));
  answer(options.json, told, () =>
    columns([
      ['name', 'identifier', 'client id', 'proves itself by', 'scopes'],
      ...told.map((one) => [
        ...[one.name, clean(one.identifier), one.clientId],
        ...[one.authMethod, one.scopes.join(' ')],
      ]),
    ]),
  );
}

/** `behalf resource remove` */
export async function remove(name: string, options: AsOption): Promise<void> {
  const event = { command: 'resource remove', as: options.as, detail: { resource: name } };
  await withDatabase((database) =>
    change(database, event, async (deciding) => {
      await deciding.require('resource_servers:manage');
      await removeResourceServer(deciding, await findResourceServer(deciding.tx, name));
    }),
  );
  answer(
    options.json,
    { name, command: event.command },
    () => `${paint('bold', name)} is no resource any more: its tokens count for nothing.`,
  );
}
