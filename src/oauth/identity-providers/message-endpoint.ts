import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeJwt, errors } from 'jose';
import { ZodError } from 'zod';
import type { Logger } from '../../core/logger.js';
import type { ProviderLogout, SignedOut } from '../../delegation/proven-identity.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Identities, Recorder } from '../contract/dependencies.js';
import { describable } from '../library/oauth-errors.js';
import type { PayloadStore } from '../library/payload-adapter.js';
import { userAgentOf } from '../middleware/recording.js';
import { FormError } from '../step/form.js';
import type { AddressOf } from '../step/step.js';
import type { RefusalRecords } from '../throttling/refusal-records.js';
import type { KnownProviders } from './known-providers.js';

export interface MessageParts {
  readonly store: PayloadStore;
  readonly providers: KnownProviders;
  readonly identities: Identities;
  readonly recorder: Recorder;
  readonly logger: Logger;
  readonly refusals: RefusalRecords;
  readonly addressOf: AddressOf;
}

/** A message that is not accepted, with the code of its own RFC. */
export class RefusedMessage extends Error {
  override readonly name = 'RefusedMessage';

  constructor(
    message: string,
    readonly code = 'invalid_request',
  ) {
    super(message);
  }
}

/** The issuer that a token claims, unverified. Undefined where it claims none by a name. Throws for a text that is no JWT. */
export function claimedIssuer(token: string): string | undefined {
  const iss: unknown = decodeJwt(token).iss;
  return typeof iss === 'string' ? iss : undefined;
}

/** The effect of a message. */
export interface Effect {
  /** For the record; holds no token. */
  readonly detail: string;
  readonly ended: SignedOut | undefined;
}

/** Whom a message is about, for its record. */
export function whomInWords(
  { name }: { readonly name: string },
  { subject, session }: ProviderLogout,
): string {
  const person = subject === undefined ? '' : `, subject ${subject}`;
  return `, provider ${name}${person}${session === undefined ? '' : ', one session'}`;
}

/** One kind of signed message that identity providers send. */
export interface MessageKind<Message> {
  readonly name: string;
  /** The status of a message that was accepted. */
  readonly accepted: 200 | 202;
  /** Reads and checks a message. Rejects with `RefusedMessage`, `FormError`, or an error of jose or zod. */
  read(request: IncomingMessage): Promise<Message>;
  /** Does what the message says, through `tx` alone. `repeated`: nothing, since the message came before. */
  apply(tx: Connection, message: Message): Promise<Effect | 'repeated'>;
  /** The error code of a refusal, and the body that tells it. */
  refusal(error: Error, reason: string): { readonly code: string; readonly body: object };
}

/**
 * Takes signed messages of identity providers. What a message does and its record commit together. A message that is
 * refused changes nothing; of an address that sends too many, most are neither read nor recorded.
 */
export class MessageEndpoint<Message> {
  constructor(
    private readonly parts: MessageParts,
    private readonly kind: MessageKind<Message>,
  ) {}

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const waitSeconds = this.parts.refusals.waitSeconds('revocation', this.parts.addressOf(request));
      if (waitSeconds > 0) {
        slowDown(response, waitSeconds);
        return;
      }
      await this.apply(request, await this.kind.read(request));
      send(response, this.kind.accepted);
    } catch (error) {
      await this.refuse(request, response, error).catch((failure: unknown) => {
        this.fail(response, failure);
      });
    }
  }

  private async apply(request: IncomingMessage, message: Message): Promise<void> {
    await this.parts.store.database.transaction(async (tx) => {
      const effect = await this.kind.apply(tx, message);
      if (effect === 'repeated') return;
      const { detail, ended } = effect;
      await this.parts.recorder.recordAuthEventIn(tx, {
        ...this.base(request),
        outcome: 'success',
        detail: `${this.kind.name}${detail}`,
        ...(ended === undefined ? {} : { userId: ended.user.id, changes: ended.changes }),
      });
    });
  }

  private async refuse(request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> {
    const reason = this.reasonOf(error);
    if (reason === undefined || !(error instanceof Error)) {
      this.fail(response, error);
      return;
    }
    const { code, body } = this.kind.refusal(error, describable(reason));
    const waitSeconds = await this.parts.refusals.record({
      ...this.base(request),
      outcome: 'refused',
      errorCode: code,
      detail: `${this.kind.name}: ${reason}`,
    });
    const status = error instanceof FormError && error.status === 413 ? 413 : 400;
    if (waitSeconds > 0) slowDown(response, waitSeconds);
    else send(response, status, body, { 'content-language': 'en' });
  }

  /** Why a message is refused. Undefined for a failure of ours or of the provider. */
  private reasonOf(error: unknown): string | undefined {
    if (error instanceof RefusedMessage || error instanceof FormError) return error.message;
    if (error instanceof ZodError)
      return `the claim ${error.issues[0]?.path.join('.') ?? ''} is not that of a ${this.kind.name}`;
    if (error instanceof errors.JOSEError && !keyFailures.has(error.code)) return error.message.slice(0, 200);
    return undefined;
  }

  private fail(response: ServerResponse, error: unknown): void {
    this.parts.logger.error({ err: error }, `a ${this.kind.name} failed`);
    send(response, 503, { error: 'temporarily_unavailable', error_description: 'try again later' });
  }

  private base(request: IncomingMessage) {
    const userAgent = userAgentOf(request);
    const address = this.parts.addressOf(request);
    return { kind: 'revocation' as const, address, ...(userAgent === undefined ? {} : { userAgent }) };
  }
}

/** The provider's keys could not be read. The library has no code of its own for an answer without keys. */
const keyFailures: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKSInvalid.code,
  errors.JWKSTimeout.code,
]);

function slowDown(response: ServerResponse, waitSeconds: number): void {
  const body = { error: 'slow_down', error_description: 'too many refused requests' };
  send(response, 429, body, { 'retry-after': String(waitSeconds) });
}

function send(
  response: ServerResponse,
  status: number,
  body?: object,
  headers: Record<string, string> = {},
): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(text);
}
