import { z } from 'zod';
import { isoTime, type Clock } from '../../core/clock.js';
import { all, compare, isNull } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import { errors } from './oidc-provider.js';
import { deviceCodeKeyOf, parsePayload } from './payload-adapter.js';

export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code';

const shape = z.object({
  address: z.string(),
  userAgent: z.string().optional(),
  /** ISO 8601. */
  at: z.string(),
});

/** Where a request comes from on which a person decides in a browser of their own (RFC 8628 section 5.4). */
export type DeviceInfo = z.infer<typeof shape>;

/** A request of a device, in an interaction. */
export interface DeviceRequest extends DeviceInfo {
  /** Identifies the device code, but is none. */
  readonly code: string;
}

/** The facts that `deviceInfo` kept with the device code. */
export const deviceInfoOf = (kept: unknown): DeviceInfo => shape.parse(kept);

/** Throws where the request has an answer already, or is over. Otherwise it gets none before `tx` ends. */
export async function requireUndecided(
  tx: Connection,
  clock: Clock,
  { code }: Pick<DeviceRequest, 'code'>,
): Promise<void> {
  const open = all<OAuthPayloadRow>(
    deviceCodeKeyOf(code),
    isNull('accountId'),
    compare('expiresAt', '>', isoTime(clock.now())),
  );
  const row = await tx.one(oauthPayloads, open, { lock: 'update' });
  if (row === undefined || parsePayload(row.payload).error !== undefined)
    throw new errors.SessionNotFound('the request has an answer already');
}
