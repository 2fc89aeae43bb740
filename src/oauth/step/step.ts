import type { IncomingMessage } from 'node:http';
import type { InteractionResults } from 'oidc-provider';
import type { Page } from '../pages/page.js';
import { grantOf, type DeviceRequest } from '../library/device-codes.js';
import type { AuthEvent } from '../contract/dependencies.js';
import { describable } from '../library/oauth-errors.js';
import type { Login, SignedIn } from './current-sign-in.js';

/** One step of an authorization request, as its page needs it. */
export interface StepRequest {
  /** The form's target: the interaction's own address. */
  readonly action: string;
  /** Identifies the interaction. */
  readonly uid: string;
  /** The parameters of its address. */
  readonly query: URLSearchParams;
  readonly program: string;
  readonly clientId: string;
  /** The name of the agent that asks. Undefined where a person's program does. */
  readonly agent?: string;
  /** The scopes that the agent's client gets at most. Undefined: it has no ceiling of its own. */
  readonly ceiling?: readonly string[];
  /** The device that asks. Undefined where the browser came from the program itself. */
  readonly device?: DeviceRequest;
  /** The sign-in of this authorization request, if it got that far. */
  readonly signedIn?: SignedIn;
  /** How the person proved who they are. */
  readonly login?: Login;
  readonly params: Readonly<Record<string, unknown>>;
  /** The address at which the program waits for its answer. */
  readonly formTargets: readonly string[];
  readonly address: string;
  readonly cookies: string | undefined;
  readonly userAgent?: string;
}

export type StepOutcome =
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'elsewhere'; readonly location: string }
  | { readonly kind: 'done'; readonly result: InteractionResults; readonly cookie?: string };

export interface Step {
  show(request: StepRequest): Promise<StepOutcome>;
  submit(request: StepRequest, form: URLSearchParams): Promise<StepOutcome>;
  /** The answer where the person cancels. A step without it has nothing to record. */
  cancel?(request: StepRequest): Promise<StepOutcome>;
  /** Undoes what its form did, where the person begins anew before the program was told. */
  undo?(request: StepRequest): Promise<void>;
}

export const page = (shown: Page): StepOutcome => ({ kind: 'page', page: shown });
/** Sends the browser to an identity provider. */
export const elsewhere = (location: string): StepOutcome => ({ kind: 'elsewhere', location });
export const done = (result: InteractionResults, cookie?: string): StepOutcome => ({
  kind: 'done',
  result,
  ...(cookie === undefined ? {} : { cookie }),
});

/** Ends the authorization request, with an error to the program (RFC 6749 section 4.1.2.1). */
export const denied = (why: string): StepOutcome =>
  done({ error: 'access_denied', error_description: describable(why) });

/** The result of a step in which the person proved who they are. */
export const loginOf = (
  accountId: string,
  version: number,
  acr?: string,
): Login & InteractionResults['login'] => ({
  accountId,
  version,
  remember: false,
  ...(acr === undefined ? {} : { acr }),
});

/** The members that all events of an interaction share, with the flow where a program waits elsewhere. */
export const eventBase = (
  request: StepRequest,
): Pick<AuthEvent, 'clientName' | 'grantType'> & Pick<StepRequest, 'address' | 'userAgent'> => ({
  clientName: request.clientId,
  address: request.address,
  ...(request.device === undefined ? {} : { grantType: grantOf(request.device) }),
  ...(request.userAgent === undefined ? {} : { userAgent: request.userAgent }),
});

export type AddressOf = (request: IncomingMessage) => string;
