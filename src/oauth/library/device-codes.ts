import { z } from 'zod';
import type { Clock } from '../../core/clock.js';
import { all, isNull } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import { errors } from './oidc-provider.js';
import { keyOf, parsePayload } from './payload-adapter.js';

export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code';
/** OpenID CIBA section 10.1. */
export const backchannelGrant = 'urn:openid:params:grant-type:ciba';

const shape = z.object({
  address: z.string(),
  userAgent: z.string().optional(),
  /** ISO 8601. */
  at: z.string(),
  /** Where the request names its person (OpenID CIBA), and nobody types a code. */
  backchannel: z
    .object({
      /** The id of its row. */
      request: z.string(),
      /** The one who may decide. Null: nobody. */
      person: z.string().nullable(),
      message: z.string().optional(),
      /** Sealed: see `Notifications`. */
      notice: z.string().optional(),
    })
    .optional(),
});

/** Where a request comes from on which a person decides in a browser of their own (RFC 8628 section 5.4). */
export type DeviceInfo = z.infer<typeof shape>;

/** A request of a device, in an interaction. */
export interface DeviceRequest extends DeviceInfo {
  /** Identifies the device code, but is none. */
  readonly code: string;
}

/** The flow of a request on which a person decides in a browser of their own. */
export const grantOf = ({ backchannel }: DeviceInfo): string =>
  backchannel === undefined ? deviceCodeGrant : backchannelGrant;

/** The facts that `deviceInfo` kept with the device code. */
export const deviceInfoOf = (kept: unknown): DeviceInfo => shape.parse(kept);

/** The thing that is decided once: an interaction, or the request that its person may open several times. */
export const decisionOf = ({
  uid,
  device,
}: {
  readonly uid: string;
  readonly device?: DeviceInfo | undefined;
}): string => device?.backchannel?.request ?? uid;

/** Whether the request names its person, and this is another one. */
export function isForAnother(kept: unknown, userId: string): boolean {
  if (kept === undefined) return false;
  const { backchannel } = deviceInfoOf(kept);
  return backchannel !== undefined && backchannel.person !== userId;
}

/**
 * Throws where the request has an answer already, is over, or is for another person. Otherwise it gets none before `tx`
 * ends. Returns when its time is over, in milliseconds.
 */
export async function requireUndecided(
  tx: Connection,
  clock: Clock,
  { code, backchannel }: Pick<DeviceRequest, 'code' | 'backchannel'>,
  userId: string,
): Promise<number> {
  if (backchannel !== undefined && backchannel.person !== userId)
    throw new errors.SessionNotFound('the request is for another person');
  const open = all<OAuthPayloadRow>(keyOf('DeviceCode', code), isNull('accountId'));
  const row = await tx.one(oauthPayloads, open, { lock: 'update' });
  const { error, exp = 0 } = row === undefined ? {} : parsePayload(row.payload);
  if (row === undefined || error !== undefined || exp * 1000 <= clock.now())
    throw new errors.SessionNotFound('the request has an answer already');
  return exp * 1000;
}
