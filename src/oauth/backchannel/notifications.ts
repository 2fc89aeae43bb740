import type { Client } from 'oidc-provider';
import { z } from 'zod';
import type { Logger } from '../../core/logger.js';
import { OutgoingRefusal, type GuardedFetch } from '../../core/outgoing/guarded-fetch.js';
import { TextSeal } from '../../core/text-seal.js';
import type { DeviceInfo } from '../library/device-codes.js';
import { notificationEndpointOf } from '../library/library-internals.js';

interface NotificationsParts {
  readonly outgoing: GuardedFetch;
  readonly logger: Logger;
  /** The first seals; all open. */
  readonly keys: readonly string[];
}

type Backchannel = NonNullable<DeviceInfo['backchannel']>;

const secretsShape = z.tuple([z.string(), z.string()]);
const bytesMax = 4_096;
const timeoutMs = 5_000;

/**
 * Tells clients that a person has decided (OpenID CIBA section 10.2). The database has only sealed what that takes: the id of
 * the request, and the token that the client gave. A client that cannot be told polls.
 */
export class Notifications {
  private readonly seal: TextSeal;

  constructor(private readonly parts: NotificationsParts) {
    this.seal = new TextSeal(parts.keys);
  }

  /** The sealed parts that a request keeps for its notification; none for a client that polls. */
  sealed(request: string, authReqId: string, token: unknown): Pick<Backchannel, 'notice'> {
    if (typeof token !== 'string') return {};
    return { notice: this.seal.seal(contextOf(request), JSON.stringify([authReqId, token])) };
  }

  /** Does not wait for the client, whose failure is no error for the person. */
  tell(client: Client | undefined, { request, notice }: Backchannel): void {
    const endpoint = notificationEndpointOf(client);
    if (client === undefined || endpoint === undefined || notice === undefined) return;
    const secrets = this.seal.open(contextOf(request), notice);
    if (secrets === undefined) this.warn(client, 'the keys of cookies have changed');
    else void this.send(client, endpoint, secretsShape.parse(JSON.parse(secrets)));
  }

  private async send(client: Client, endpoint: string, [id, token]: [string, string]): Promise<void> {
    try {
      const { status } = await this.parts.outgoing.ask(endpoint, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ auth_req_id: id }),
        ...{ bytesMax, timeoutMs },
      });
      if (status < 200 || status > 299) this.warn(client, `it answered ${String(status)}`);
    } catch (error) {
      this.warn(client, error instanceof OutgoingRefusal ? error.message : 'it could not be asked');
    }
  }

  private warn({ clientId }: Client, why: string): void {
    this.parts.logger.warn({ client: clientId, why }, 'a client was not told of a decision; it can poll');
  }
}

const contextOf = (request: string): string => JSON.stringify(['backchannel notification', request]);
