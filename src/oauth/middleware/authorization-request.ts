import { paths } from '../contract/paths.js';
import { delegationType } from '../library/authorization-details.js';
import { acrValuesParameter } from '../interactions/interaction-policy.js';
import type { RegisteredClients } from '../library/registered-clients.js';
import type { OAuthSettings } from '../contract/dependencies.js';

type OwnTools = Pick<RegisteredClients, 'ownTool'>;

/** The endpoints that take the parameters of an authorization request. */
const endpoints: ReadonlySet<string> = new Set([
  paths.authorize,
  paths.pushedAuthorizationRequest,
  paths.deviceAuthorization,
  paths.backchannelAuthentication,
]);

export const takesAuthorizationRequest = (path: string): boolean => endpoints.has(path);

/**
 * RFC 6749 section 3.3: without `scope`, the default applies to people's programs: all scopes that the person holds. An
 * agent that says nothing of its task asks for one all the same, and the page asks the person. A reference to a pushed
 * request (RFC 9126) stands for all its parameters.
 */
async function addDefaults(
  parameters: URLSearchParams,
  { scopes, clients }: OAuthSettings,
  registered: OwnTools,
): Promise<void> {
  if (parameters.has('request_uri')) return;
  const clientId = parameters.get('client_id') ?? '';
  const tool = clients.some((own) => own.clientId === clientId)
    ? { scopes }
    : await registered.ownTool(clientId);
  const [name, value] =
    tool === undefined
      ? ['authorization_details', JSON.stringify([{ type: delegationType }])]
      : ['scope', (tool.scopes ?? scopes).join(' ')];
  if (!parameters.has(name)) parameters.set(name, value);
}

/**
 * RFC 9470 section 4. The library takes these parameters with OpenID Connect alone. Every request signs the person in anew,
 * so any `max_age` is met; the interaction policy looks at the `acr_values`.
 */
function adaptStepUp(parameters: URLSearchParams): void {
  const [acrValues, ...more] = parameters.getAll('acr_values');
  if (acrValues !== undefined && more.length === 0) {
    parameters.delete('acr_values');
    parameters.set(acrValuesParameter, acrValues);
  }
  const [maxAge = '', ...others] = parameters.getAll('max_age');
  if (/^\d{1,10}$/.test(maxAge) && others.length === 0) parameters.delete('max_age');
}

/** OpenID CIBA section 7.1 asks for `openid`, and the library insists on it. No ID token comes of it, and no scope. */
function adaptBackchannel(parameters: URLSearchParams): void {
  const [scope = '', ...more] = parameters.getAll('scope');
  const names = scope.split(' ').filter((name) => name !== '');
  if (more.length === 0 && !names.includes('openid')) parameters.set('scope', ['openid', ...names].join(' '));
}

/** The parameters of a request, in the form in which the library takes them. */
export async function adaptedRequest(
  path: string,
  text: string,
  settings: OAuthSettings,
  registered: OwnTools,
): Promise<string> {
  const parameters = new URLSearchParams(text);
  await addDefaults(parameters, settings, registered);
  adaptStepUp(parameters);
  if (path === paths.backchannelAuthentication) adaptBackchannel(parameters);
  return parameters.toString();
}
