import { badInput } from '../../core/errors.js';
import type { ConsentInput } from '../contract/dependencies.js';
import { consentDetails, delegationDetails, parseDetails } from '../library/authorization-details.js';
import type { StepRequest } from '../step/step.js';

/**
 * The request in an authorization request. An agent asks for one task of its own, and a person's program for a consent
 * to an agent. Undefined where nobody is signed in or nothing is asked. Throws `BAD_USER_INPUT` for more than one
 * request.
 */
export function consentRequest({
  signedIn,
  login,
  params,
  agent,
  ceiling,
}: StepRequest): ConsentInput | undefined {
  if (signedIn === undefined) return undefined;
  const details = parseDetails(params.authorization_details);
  if (details.length > 1) throw badInput('Ask for one consent at a time.', 'authorization_details');
  const { userId } = signedIn;
  const met = login?.acr === undefined ? {} : { acr: login.acr };
  if (agent === undefined) {
    const asked = consentDetails(details);
    if (asked === undefined) return undefined;
    const { agent: agentName, role, scopes } = asked;
    return {
      ...{ userId, ...met, agentName },
      ...(role === undefined ? {} : { role }),
      ...(scopes === undefined ? {} : { scopes }),
    };
  }
  const { type: _type, delegation, role, ...task } = delegationDetails(details) ?? { type: '' };
  if (delegation !== undefined)
    throw badInput('Consent makes a new delegation; name none.', 'authorization_details');
  const scopes =
    typeof params.scope === 'string' ? params.scope.split(' ').filter((name) => name !== '') : [];
  return {
    ...{ userId, ...met, agentName: agent, task, resources: resourcesIn(params) },
    ...(ceiling === undefined ? {} : { ceiling }),
    ...(role === undefined ? {} : { role }),
    ...(scopes.length === 0 ? {} : { scopes }),
  };
}

/** RFC 8707. The library has checked them, and put the usual one where the request names none. */
const resourcesIn = ({ resource }: StepRequest['params']): string[] =>
  [resource].flat().filter((one) => typeof one === 'string');
