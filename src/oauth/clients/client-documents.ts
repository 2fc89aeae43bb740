import type { Clock } from '../../core/clock.js';
import type { CacheState } from '../../core/lru.js';
import { BehalfError, isOurFailure } from '../../core/errors.js';
import { parseJson } from '../../core/json.js';
import {
  OutgoingRefusal,
  type GuardedFetch,
  type OutgoingAnswer,
} from '../../core/outgoing/guarded-fetch.js';
import { textOf } from '../../core/utf8.js';
import type { Database } from '../../store/sql/database.js';
import type { ClientDescription, ClientRow } from '../../store/tables/clients.js';
import type { Clients, Recorder } from '../contract/dependencies.js';
import { KeptAnswers } from '../identity-providers/kept-answers.js';
import type { RegisteredClients } from '../library/registered-clients.js';
import { SlowDown } from '../throttling/slow-down.js';
import { ClientWaits, UnusableDocument } from './client-waits.js';
import { keepClient, recordChange } from './unknown-clients.js';

interface DocumentParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly documentFetch: GuardedFetch;
  readonly clients: Clients;
  readonly recorder: Recorder;
}

/** The draft recommends 5 KB; keys of several algorithms take more. */
const bytesMax = 20_000;
const timeoutMs = 3_000;
/** How long a document is trusted to say what it said. */
const freshMs = 3_600_000;
/** New clients of one site, and of all together, in an hour; beyond that they are let in slowly. */
const perSite = { attempts: 60, windowSeconds: 3_600 };
const altogether = { attempts: 200, windowSeconds: 3_600 };

/**
 * Whether a client id is the address of a document (draft-ietf-oauth-client-id-metadata-document section 3): a URL with a
 * path, written as browsers write it, without fragment, query, user name and dots. Which hosts are asked, and over plain
 * http, the guarded fetch decides.
 */
export function isDocumentAddress(clientId: string): boolean {
  if (!/^https?:\/\//.test(clientId) || !URL.canParse(clientId)) return false;
  const { href, pathname, search, username, password } = new URL(clientId);
  return (
    href === clientId &&
    pathname !== '/' &&
    search === '' &&
    !clientId.includes('#') &&
    username + password === ''
  );
}

/** The owner of a domain has all names below it, so they count as one site. */
const siteOf = (clientId: string): string => new URL(clientId).hostname.split('.').slice(-2).join('.');

/**
 * Clients whose id is the address of a document about them. A document that is seen for the first time puts its client in
 * quarantine; later it changes nothing of what was admitted, and the change waits for an administrator.
 */
export class ClientDocuments {
  readonly kept: KeptAnswers<ClientDescription>;
  /** Clients for which there was no room a moment ago. */
  private readonly turnedAway: KeptAnswers<ClientRow>;
  private readonly sites: SlowDown;
  private readonly all: SlowDown;

  constructor(private readonly parts: DocumentParts) {
    this.kept = new KeptAnswers(parts.clock);
    this.turnedAway = new KeptAnswers(parts.clock, (error) => error instanceof UnusableDocument);
    this.sites = new SlowDown(parts.clock, perSite);
    this.all = new SlowDown(parts.clock, altogether);
  }

  get caches(): Readonly<Record<string, CacheState>> {
    return {
      client_documents: this.kept.lines,
      client_documents_turned_away: this.turnedAway.lines,
      client_document_sites: this.sites.lines,
    };
  }

  /** Reads the document of an unknown client. Undefined where the id is no address of one. */
  async find(clientId: string): Promise<ClientRow | undefined> {
    if (!isDocumentAddress(clientId)) return undefined;
    const description = await this.kept.get(clientId, async () => {
      this.requireTurn(clientId);
      return this.read(clientId);
    });
    const client = await this.turnedAway.get(clientId, () => this.keep(clientId, description));
    this.turnedAway.lines.delete(clientId);
    return client;
  }

  private async keep(clientId: string, description: ClientDescription): Promise<ClientRow> {
    const client = await keepClient(this.parts, { clientId, registration: 'document', description });
    if (client !== undefined) return client;
    throw new UnusableDocument('too many clients wait for admission; ask an administrator to look at them');
  }

  /** Reads a document again after an hour. What was admitted stays; a document out of reach changes nothing. */
  async refresh(client: ClientRow): Promise<void> {
    const { database, clock, clients } = this.parts;
    const { clientId, checkedAt, status } = client;
    if (checkedAt === null || status === 'stopped' || clock.now() - Date.parse(checkedAt) < freshMs) return;
    if (!(await database.transaction((tx) => clients.claimCheck(tx, client)))) return;
    const description = await this.read(clientId).catch(unlessOurs);
    if (description === undefined) return;
    await database.transaction(async (tx) => {
      const change = await clients.compare(tx, client, description);
      if (change !== undefined) await recordChange(this.parts.recorder, tx, change);
    });
  }

  /** Bounds what others can make this server ask for. */
  private requireTurn(clientId: string): void {
    const site = siteOf(clientId);
    if (Math.max(this.sites.waitSeconds(site, clientId), this.all.waitSeconds('', clientId)) > 0)
      throw new UnusableDocument('too many new clients come at once; try again later');
    this.sites.count(site, clientId);
    this.all.count('', clientId);
  }

  private async read(clientId: string): Promise<ClientDescription> {
    const { documentFetch, clients } = this.parts;
    try {
      const answer = await documentFetch.ask(clientId, {
        headers: { accept: 'application/json' },
        ...{ bytesMax, timeoutMs },
      });
      const metadata = documentAbout(clientId, answer);
      if ('client_secret' in metadata) throw new UnusableDocument('it holds a secret');
      return clients.describe(metadata, new URL(clientId).host, 'refused');
    } catch (error) {
      if (error instanceof OutgoingRefusal) throw new UnusableDocument(unreadable, error);
      if (error instanceof BehalfError && !isOurFailure(error))
        throw new UnusableDocument(error.message, error);
      throw error;
    }
  }
}

/**
 * One text for everything that is no document about this client: a stranger who names an address must not learn what is
 * there. The faults of a document that names its own address are for its author.
 */
const unreadable = 'no document with this client_id can be read at its address';

function documentAbout(clientId: string, answer: OutgoingAnswer): object {
  const text = documentText(answer);
  let metadata: unknown;
  try {
    metadata = parseJson(text, 'The document');
  } catch (error) {
    throw new UnusableDocument(unreadable, error);
  }
  if (typeof metadata !== 'object' || metadata === null) throw new UnusableDocument(unreadable);
  if (!('client_id' in metadata) || metadata.client_id !== clientId) throw new UnusableDocument(unreadable);
  return metadata;
}

function documentText({ status, headers, body }: OutgoingAnswer): string {
  if (status !== 200) throw new UnusableDocument(unreadable);
  if (!/^application\/(?:[\w.-]+\+)?json\b/.test(headers['content-type'] ?? ''))
    throw new UnusableDocument(unreadable);
  const text = textOf(body);
  if (text === undefined) throw new UnusableDocument(unreadable);
  return text;
}

function unlessOurs(error: unknown): undefined {
  if (error instanceof UnusableDocument) return undefined;
  throw error;
}

/** Clients as the authorization server meets them: known ones, and those that it hears of for the first time. */
export class KnownClients {
  constructor(
    private readonly registered: RegisteredClients,
    /** Undefined where documents are not read. */
    private readonly documents: ClientDocuments | undefined,
  ) {}

  /**
   * Throws `ClientWaits` for a client in quarantine; anybody can send such requests, so they write nothing. Undefined for a
   * client that nobody knows.
   */
  async find(clientId: string): Promise<ClientRow | undefined> {
    const known = await this.registered.row(clientId);
    if (known?.registration === 'document') await this.documents?.refresh(known);
    const client = known ?? (await this.documents?.find(clientId));
    if (client?.status === 'quarantined') throw new ClientWaits(client);
    return client;
  }
}
