import { z } from 'zod';
import { visibleLine } from '../core/checked-text.js';
import { badInput, BehalfError } from '../core/errors.js';
import type { ClientDescription } from '../store/tables/clients.js';
import { parseKeys } from './agent-keys.js';
import { parseClientUris } from './redirect-uris.js';

const word = z.string().max(2_000);
/** The members of client metadata (RFC 7591 section 2) that count here. Others are ignored. */
const metadataShape = z.object({
  client_name: word.optional(),
  redirect_uris: z.array(word).min(1).max(50),
  token_endpoint_auth_method: word.optional(),
  grant_types: z.array(word).max(50).optional(),
  response_types: z.array(word).max(50).optional(),
  jwks: z.unknown().optional(),
  jwks_uri: z.unknown().optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  tls_client_certificate_bound_access_tokens: z.boolean().optional(),
});

const secretMethods = new Set(['client_secret_basic', 'client_secret_post', 'client_secret_jwt']);

/**
 * The description that a client gives of itself, as far as it counts. It never has a secret, its keys stand in the text, and
 * redirect URIs that browsers cannot be sent to safely are left out. Throws `BAD_USER_INPUT` where nothing usable is left.
 * @param secrets what becomes of a client that wants a secret: it is refused, or public
 */
export function describeClient(
  metadata: unknown,
  fallbackName: string,
  secrets: 'refused' | 'public',
): ClientDescription {
  const parsed = metadataShape.safeParse(metadata);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const member = issue?.path.join('.') || 'the metadata';
    throw badInput(`${member}: ${issue?.message ?? 'not valid'}`, 'client_metadata');
  }
  const { data } = parsed;
  requireCode(data);
  const method = data.token_endpoint_auth_method ?? (data.jwks === undefined ? 'none' : 'private_key_jwt');
  if (data.jwks_uri !== undefined)
    throw fault('give the keys in `jwks`: those at an address could change after admission');
  return {
    name: visibleLine(data.client_name ?? fallbackName, 200, 'client_name'),
    ...authenticationOf(method, data.jwks, secrets),
    redirectUris: safeUris(data.redirect_uris),
    tokenBinding: bindingOf(data),
  };
}

/** RFC 9449 section 5.2, RFC 8705 section 3.4. */
function bindingOf({
  dpop_bound_access_tokens: dpop = false,
  tls_client_certificate_bound_access_tokens: certificate = false,
}: z.infer<typeof metadataShape>): string {
  if (dpop && certificate)
    throw fault('tokens are bound to a key by DPoP, or to a certificate, and not to both');
  return dpop ? 'dpop' : certificate ? 'certificate' : 'any';
}

function requireCode({
  grant_types: grants,
  response_types: responses,
}: z.infer<typeof metadataShape>): void {
  if (grants?.includes('authorization_code') === false || responses?.includes('code') === false)
    throw fault('only clients that use the authorization code flow can be registered');
}

function authenticationOf(
  method: string,
  jwks: unknown,
  secrets: 'refused' | 'public',
): Pick<ClientDescription, 'authMethod' | 'jwks'> {
  if (method === 'private_key_jwt')
    return { authMethod: method, jwks: parseKeys(JSON.stringify(jwks ?? null)) };
  if (method === 'none' || (secrets === 'public' && secretMethods.has(method)))
    return { authMethod: 'none', jwks: null };
  throw fault('token_endpoint_auth_method must be none or private_key_jwt: no client has a secret');
}

/** Ten at most, in their order. A program may name addresses beside these that are not usable here. */
function safeUris(uris: readonly string[]): readonly string[] {
  const safe = uris.filter(isSafe).slice(0, 10);
  if (safe.length === 0)
    throw badInput(
      'no redirect URI begins with https://, with http:// and an address of this machine, or with a scheme that is a domain in reverse',
      'redirect_uris',
    );
  return [...new Set(safe)];
}

function isSafe(uri: string): boolean {
  try {
    return parseClientUris([uri]).length === 1;
  } catch (error) {
    if (error instanceof BehalfError) return false;
    throw error;
  }
}

const fault = (message: string): BehalfError => badInput(message, 'client_metadata');
