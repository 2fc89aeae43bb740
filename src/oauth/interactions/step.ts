import type { IncomingMessage } from 'node:http';
import type { InteractionResults } from 'oidc-provider';
import type { Page } from '../pages/page.js';
import type { AuthEvent } from '../ports.js';
import { describable } from '../refusals.js';
import type { Login, SignedIn } from '../current-sign-in.js';

/** One step of an authorization request, as its page knows it. */
export interface StepRequest {
  /** Where the form goes: the interaction's own address. */
  readonly action: string;
  readonly program: string;
  readonly clientId: string;
  /** Who signed in earlier in this request. */
  readonly signedIn?: SignedIn;
  readonly params: Readonly<Record<string, unknown>>;
  /** Where the program waits for its answer. */
  readonly formTargets: readonly string[];
  readonly address: string;
  readonly cookies: string | undefined;
  readonly userAgent?: string;
}

export type StepOutcome =
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'done'; readonly result: InteractionResults; readonly cookie?: string };

export interface Step {
  show(request: StepRequest): Promise<StepOutcome>;
  submit(request: StepRequest, form: URLSearchParams): Promise<StepOutcome>;
}

export const page = (shown: Page): StepOutcome => ({ kind: 'page', page: shown });
export const done = (result: InteractionResults, cookie?: string): StepOutcome => ({
  kind: 'done',
  result,
  ...(cookie === undefined ? {} : { cookie }),
});

/** Ends the authorization request: the program is told so (RFC 6749 section 4.1.2.1). */
export const denied = (why: string): StepOutcome =>
  done({ error: 'access_denied', error_description: describable(why) });

/** The result of a step in which a person's password was right, or became so. */
export const loginOf = (accountId: string, version: number): Login & InteractionResults['login'] => ({
  accountId,
  version,
  remember: false,
});

/** The members that every event of an interaction has. */
export const eventBase = (request: StepRequest): Pick<AuthEvent, 'clientName' | 'address' | 'userAgent'> => ({
  clientName: request.clientId,
  address: request.address,
  ...(request.userAgent === undefined ? {} : { userAgent: request.userAgent }),
});

export type AddressOf = (request: IncomingMessage) => string;
