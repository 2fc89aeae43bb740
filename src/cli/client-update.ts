import { planUpdate, updateClient, type ClientChanges } from '../admin/client-changes.js';
import { CommandError } from '../core/command-error.js';
import { findDecider } from '../operator/recorded-change.js';
import type { ClientRow } from '../store/tables/clients.js';
import { clientAt, decideTerms, surroundingsOf, type VersionOptions } from './client.js';
import { withDatabase } from './operator/with-database.js';
import { agree, dryRunLine, type AgreementOptions } from './terminal/agreement.js';
import { answer, clean, paint } from './terminal/output.js';

/** False: the option `--no-…`. */
export interface UpdateOptions extends VersionOptions, AgreementOptions {
  readonly name?: string;
  readonly redirectUri?: readonly string[];
  readonly scope?: readonly string[] | false;
  readonly resource?: readonly string[] | false;
  readonly tokenBinding?: string;
  readonly notificationEndpoint?: string | false;
}

/** `behalf client update` */
export async function update(clientId: string, options: UpdateOptions): Promise<void> {
  const { as, json, dryRun = false } = options;
  const changes = changesOf(options);
  const planned = await look(clientId, options, changes);
  const { tokensEnd } = planned;
  const lines = linesOf(planned);
  if (dryRun) {
    answer(json, { clientId, dryRun, ...planned }, () => [...lines, dryRunLine]);
    return;
  }
  await agree(tokensEnd ? lines : [], 'its tokens', options);
  const event = { command: 'client update', as, detail: { clientId } };
  const { version } = await decideTerms(event, async (deciding, around) =>
    updateClient(deciding, deciding.by.id, await clientAt(deciding, clientId, options), changes, around),
  );
  answer(json, { clientId, command: 'client update', ...planned, version }, () => [
    ...lines,
    `${paint('bold', clean(clientId))} is changed. It has version ${String(version)} now.`,
  ]);
}

const valueOf = <T>(option: T | false | undefined): T | null | undefined =>
  option === false ? null : option;

function changesOf(options: UpdateOptions): ClientChanges {
  const { name, redirectUri: redirectUris, tokenBinding } = options;
  const changes = {
    ...{ name, redirectUris, tokenBinding },
    scopes: valueOf(options.scope),
    resources: valueOf(options.resource),
    notificationEndpoint: valueOf(options.notificationEndpoint),
  };
  if (Object.values(changes).some((value) => value !== undefined)) return changes;
  throw new CommandError('Say what to change. `behalf client update --help` shows what can be.');
}

interface Planned {
  /** By column: the value so far, and the new one. */
  readonly changes: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;
  /** Whether the tokens that the client has, or the sign-ins with it, end. */
  readonly tokensEnd: boolean;
}

/** The change that would be made. The version that the person looked at stands for all of it. */
const look = (clientId: string, options: UpdateOptions, changes: ClientChanges): Promise<Planned> =>
  withDatabase(async (database) => {
    const by = await findDecider(database, options.as, 'clients:manage');
    const around = await surroundingsOf(database);
    return database.transaction(async (tx) => {
      const before = await clientAt({ tx }, clientId, options);
      const { after, endsTokens } = await planUpdate({ tx }, by.id, before, changes, around);
      return { changes: differences(before, after), tokensEnd: endsTokens };
    });
  });

const differences = (before: ClientRow, after: Partial<ClientRow>): Planned['changes'] =>
  Object.fromEntries(
    Object.entries(after)
      .map(([key, to]) => [key, { from: before[key as keyof ClientRow], to }] as const)
      .filter(([, { from, to }]) => JSON.stringify(from) !== JSON.stringify(to)),
  );

const linesOf = ({ changes, tokensEnd }: Planned): string[] => [
  ...Object.entries(changes).map(
    ([key, { from, to }]) => `${words[key] ?? key}: ${said(from)} → ${said(to)}`,
  ),
  ...(tokensEnd ? ['Its tokens, or the sign-ins with it, end at once.'] : []),
];

const words: Readonly<Record<string, string>> = {
  redirectUris: 'redirect URIs',
  tokenBinding: 'token binding',
  notificationEndpoint: 'notification endpoint',
};

const said = (value: unknown): string => {
  if (value === null) return 'none of its own';
  return clean(
    Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : JSON.stringify(value),
  );
};
