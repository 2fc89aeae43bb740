import type { IncomingMessage, ServerResponse } from 'node:http';
import { clientKeyOf } from '../../core/client-address.js';
import { BehalfError, isOurFailure } from '../../core/errors.js';
import { parseJson } from '../../core/json.js';
import { textOf } from '../../core/utf8.js';
import type { ClientDescription, ClientRow } from '../../store/tables/clients.js';
import type { OAuthDependencies } from '../contract/dependencies.js';
import { bindingMetadata } from '../library/client-metadata.js';
import { describable } from '../library/oauth-errors.js';
import { userAgentOf } from '../middleware/recording.js';
import { FormError, readBody } from '../step/form.js';
import type { RefusalRecords } from '../throttling/refusal-records.js';
import { SlowDown } from '../throttling/slow-down.js';
import { keepClient } from './unknown-clients.js';

const bytesMax = 20_000;
/** Registrations from one address in an hour; beyond that they are let in slowly. */
const perAddress = { attempts: 20, windowSeconds: 3_600 };
/** The same of all addresses together. It bounds the records, and how soon a client that waits gives way to newer ones. */
const altogether = { attempts: 200, windowSeconds: 3_600 };
const everybody = '';

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly waitSeconds?: number;
}

const refusal = (status: number, error: string, why: string): Answer => ({
  status,
  body: { error, error_description: describable(why) },
});

const slowDown = (waitSeconds: number): Answer => ({
  ...refusal(429, 'slow_down', 'too many clients are registered now'),
  waitSeconds,
});

/**
 * Dynamic client registration (RFC 7591), for clients without a document. It needs no token and gives no right: the client
 * waits in quarantine, and is forgotten unless an administrator admits it. A client that wants a secret is registered as a
 * public one, which its answer says (section 3.2.1).
 */
export class ClientRegistration {
  private readonly ofAddress: SlowDown;
  private readonly together: SlowDown;

  constructor(
    private readonly parts: OAuthDependencies,
    private readonly refusals: RefusalRecords,
  ) {
    this.ofAddress = new SlowDown(parts.clock, perAddress);
    this.together = new SlowDown(parts.clock, altogether);
  }

  get lines(): SlowDown['lines'] {
    return this.ofAddress.lines;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body, waitSeconds } = await this.answer(request).catch((error: unknown) => {
      this.parts.logger.error({ err: error }, 'a client could not be registered');
      return refusal(503, 'temporarily_unavailable', 'the server cannot answer now; try again later');
    });
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(waitSeconds === undefined ? {} : { 'retry-after': String(waitSeconds) }),
    });
    response.end(JSON.stringify(body));
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const address = this.parts.addressOf(request);
    const key = clientKeyOf(address);
    const waitSeconds = Math.max(
      this.ofAddress.waitSeconds(key, key),
      this.together.waitSeconds(everybody, key),
    );
    if (waitSeconds > 0) return slowDown(waitSeconds);
    this.ofAddress.count(key, key);
    this.together.count(everybody, key);
    try {
      return await this.register(await descriptionIn(request, this.parts));
    } catch (error) {
      return this.refuse(request, address, errorAnswer(error));
    }
  }

  private async register(description: ClientDescription): Promise<Answer> {
    const clientId = this.parts.ids.next();
    const client = await keepClient(this.parts, { clientId, registration: 'dynamic', description });
    return client === undefined
      ? refusal(503, 'temporarily_unavailable', 'too many clients wait for admission')
      : { status: 201, body: information(client) };
  }

  private async refuse(request: IncomingMessage, address: string, answer: Answer): Promise<Answer> {
    const userAgent = userAgentOf(request);
    const waitSeconds = await this.refusals.record({
      ...{ kind: 'client', outcome: 'refused', address, errorCode: String(answer.body.error) },
      detail: String(answer.body.error_description),
      ...(userAgent === undefined ? {} : { userAgent }),
    });
    return waitSeconds > 0 ? slowDown(waitSeconds) : answer;
  }
}

async function descriptionIn(
  request: IncomingMessage,
  { clients }: OAuthDependencies,
): Promise<ClientDescription> {
  const text = textOf(await readBody(request, 'application/json', bytesMax));
  if (text === undefined) throw new FormError(400, 'The body is not UTF-8.');
  return clients.describe(parseJson(text, 'The body'), 'Unnamed client', 'public');
}

/** RFC 7591 section 3.2.2. Failures of the server are thrown on. */
function errorAnswer(error: unknown): Answer {
  if (error instanceof FormError) return refusal(error.status, 'invalid_client_metadata', error.message);
  if (!(error instanceof BehalfError) || isOurFailure(error)) throw error;
  const isAboutUris = error.details.path === 'redirect_uris';
  return refusal(400, isAboutUris ? 'invalid_redirect_uri' : 'invalid_client_metadata', error.message);
}

/** RFC 7591 section 3.2.1. */
const information = (client: ClientRow) => {
  const { clientId, name, authMethod, jwks, redirectUris, createdAt, tokenBinding } = client;
  return {
    client_id: clientId,
    client_id_issued_at: Math.floor(Date.parse(createdAt) / 1000),
    client_name: name,
    redirect_uris: redirectUris,
    token_endpoint_auth_method: authMethod,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...(jwks === null ? {} : { jwks }),
    ...bindingMetadata(tokenBinding),
  };
};
