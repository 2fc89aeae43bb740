import type { KoaContextWithOIDC } from 'oidc-provider';
import { errors, interactionPolicy } from '../library/oidc-provider.js';
import { consentDetails, parseDetails } from '../library/authorization-details.js';
import { agentIdOf } from '../library/library-internals.js';
import type { HandedOver } from '../contract/dependencies.js';
import { passkeyAcr } from '../../authority/chain.js';
import type { Login } from '../step/current-sign-in.js';

const { Check, Prompt } = interactionPolicy;
type Prompts = InstanceType<typeof Prompt>[];

export type PromptName = 'login' | 'passkey' | 'change_password' | 'consent';

/** The person's decisions in this authorization request, step by step. */
interface Decisions {
  readonly login?: Login;
  /** What the person handed over to an agent; empty for a consent to tasks to come. */
  readonly consent?: Partial<HandedOver>;
}
export const decisionsOf = (ctx: KoaContextWithOIDC): Decisions => (ctx.oidc.result ?? {}) as Decisions;

/**
 * Every authorization request asks for the password, or sends the person to an identity provider. A session in the
 * browser is never enough: another program on the person's machine could use it to get a code without the person
 * noticing (RFC 8252 section 8.6). A grant needs a password, or a provider's answer, that was accepted in this request for
 * an unchanged account: see `configuration.ts`.
 */
const signIn = new Prompt(
  { name: 'login', requestable: true },
  new Check('sign_in', 'the person signs in for each request', (ctx) =>
    ctx.oidc.entities.Grant?.jti === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
  ),
);

const isWithoutPassword = (login: Login | undefined): boolean =>
  login?.provider !== undefined || login?.byPasskey === true;

const changePassword = (mustChange: (userId: string) => Promise<boolean>): InstanceType<typeof Prompt> =>
  new Prompt(
    { name: 'change_password' },
    new Check('first_password', 'a password that someone else chose is replaced', async (ctx) =>
      ctx.oidc.account !== undefined &&
      !isWithoutPassword(decisionsOf(ctx).login) &&
      (await mustChange(ctx.oidc.account.accountId))
        ? Check.REQUEST_PROMPT
        : Check.NO_NEED_TO_PROMPT,
    ),
  );

/** The name under which the library keeps `acr_values` (OpenID Connect Core section 3.1.2.1). */
export const acrValuesParameter = 'requested_acr_values';

const acrValuesOf = (ctx: KoaContextWithOIDC): readonly string[] => {
  const values = ctx.oidc.params?.[acrValuesParameter];
  return typeof values === 'string' ? values.split(' ').filter((value) => value !== '') : [];
};

/** A role of the person asks for a passkey, or the program does by `acr_values` (RFC 9470 section 5). */
const passkey = (isNeededBy: (userId: string) => Promise<boolean>): InstanceType<typeof Prompt> =>
  new Prompt(
    { name: 'passkey' },
    new Check('passkey', 'the sign-in needs a passkey', 'unmet_authentication_requirements', async (ctx) => {
      const values = acrValuesOf(ctx);
      if (values.length > 0 && !values.includes(passkeyAcr))
        throw new errors.UnmetAuthenticationRequirements('no such acr_values are known here');
      const { login } = decisionsOf(ctx);
      if (login === undefined || login.acr === passkeyAcr) return Check.NO_NEED_TO_PROMPT;
      const isNeeded = values.length > 0 || (await isNeededBy(login.accountId));
      return isNeeded ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT;
    }),
  );

/** People's own programs need no consent. An agent that will act on the person's behalf does, whoever asks for it. */
const consent = new Prompt(
  { name: 'consent' },
  new Check('agent_consent', 'the person decides about an agent', 'consent_required', (ctx) => {
    const isRequested =
      agentIdOf(ctx.oidc.client) !== undefined ||
      consentDetails(parseDetails(ctx.oidc.params?.authorization_details)) !== undefined;
    return isRequested && decisionsOf(ctx).consent === undefined
      ? Check.REQUEST_PROMPT
      : Check.NO_NEED_TO_PROMPT;
  }),
);

/** The steps of an authorization request, in order. */
export const makePolicy = (
  mustChange: (userId: string) => Promise<boolean>,
  needsPasskey: (userId: string) => Promise<boolean>,
): Prompts => [signIn, passkey(needsPasskey), changePassword(mustChange), consent];
