import type { AuthorizationDetail } from 'oidc-provider';
import { errors } from './oidc-provider.js';
import { z } from 'zod';

/**
 * The two types of `authorization_details` (RFC 9396). An agent names its delegation, or describes a new one; a
 * person's program asks for the person's consent to an agent.
 */
export const delegationType = 'behalf_delegation';
export const consentType = 'behalf_consent';

const words = (length: number): z.ZodString => z.string().min(1).max(length);

const whole = z.number().int().min(0);

const delegationShape = z.strictObject({
  type: z.literal(delegationType),
  delegation: words(26).optional(),
  task: words(200).optional(),
  purpose: words(500).optional(),
  role: words(100).optional(),
  boundary: z.record(z.string(), z.unknown()).optional(),
  limits: z
    .strictObject({
      operations: whole.optional(),
      rows: whole.optional(),
      depth: whole.optional(),
      expiresInSeconds: whole.optional(),
    })
    .optional(),
});
const consentShape = z.strictObject({
  type: z.literal(consentType),
  agent: words(100),
  role: words(100).optional(),
  scopes: z.array(words(100)).max(200).optional(),
});

type DelegationDetails = z.infer<typeof delegationShape>;
type ConsentDetails = z.infer<typeof consentShape>;

/** Refuses with `invalid_authorization_details` (RFC 9396 section 5) and names the member at fault. */
const validateWith = (shape: z.ZodType) => (_ctx: unknown, detail: AuthorizationDetail) => {
  const parsed = shape.safeParse(detail);
  if (parsed.success) return;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new errors.InvalidAuthorizationDetails(
    `authorization_details of type ${detail.type}${where === '' ? '' : `, member ${where}`}: ${issue?.message ?? 'not valid'}`,
  );
};

export const detailTypes = {
  [delegationType]: { validate: validateWith(delegationShape) },
  [consentType]: { validate: validateWith(consentShape) },
};

const first = <T>(shape: z.ZodType<T>, details: readonly unknown[] | undefined): T | undefined => {
  for (const detail of details ?? []) {
    const parsed = shape.safeParse(detail);
    if (parsed.success) return parsed.data;
  }
  return undefined;
};

export const delegationDetails = (details: readonly unknown[] | undefined): DelegationDetails | undefined =>
  first(delegationShape, details);
export const consentDetails = (details: readonly unknown[] | undefined): ConsentDetails | undefined =>
  first(consentShape, details);

/** The parameter as a list; empty where it is none. The library has parsed and validated it before. */
export function parseDetails(parameter: unknown): readonly unknown[] {
  if (typeof parameter !== 'string') return [];
  const parsed: unknown = JSON.parse(parameter);
  return Array.isArray(parsed) ? parsed : [];
}

/** The one delegation that a request names. Throws where there are several objects. */
export function onlyDelegation(parameter: unknown): DelegationDetails | undefined {
  const details = parseDetails(parameter);
  if (details.length > 1) {
    throw new errors.InvalidAuthorizationDetails(
      'authorization_details must hold exactly one object: a token is for one delegation',
    );
  }
  return delegationDetails(details);
}
