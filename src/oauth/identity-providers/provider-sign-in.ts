import * as client from 'openid-client';
import type { IdentityOutcome, ProvenIdentity } from '../../delegation/proven-identity.js';
import type { Connection } from '../../store/sql/connection.js';
import { isDuplicate, type Database } from '../../store/sql/database.js';
import type { IdentityProviderRow } from '../../store/tables/identity-providers.js';
import type { Identities, Recorder } from '../contract/dependencies.js';
import { paths } from '../contract/paths.js';
import {
  done,
  elsewhere,
  eventBase,
  loginOf,
  page,
  type StepOutcome,
  type StepRequest,
} from '../step/step.js';
import { askAdministratorPage, notSignedInThere, providerUnavailablePage } from '../pages/provider-pages.js';
import type { RefusalRecords } from '../throttling/refusal-records.js';
import type { KnownProviders } from './known-providers.js';
import { identityIn } from './provider-claims.js';
import { refusalOf, type Refusal } from './provider-refusal.js';
import type { SignInRequest, SignInRequests } from './sign-in-requests.js';

interface ProviderSignInParts {
  readonly issuer: string;
  readonly database: Database;
  readonly recorder: Recorder;
  readonly refusals: RefusalRecords;
  readonly identities: Identities;
  readonly providers: KnownProviders;
  readonly requests: SignInRequests;
}

/** Authorization code with PKCE, `state` and `nonce` at a provider (OpenID Connect Core section 3.1). */
export class ProviderSignIn {
  constructor(private readonly parts: ProviderSignInParts) {}

  /** Sends the browser to the provider. */
  async begin(request: StepRequest, providerName: string): Promise<StepOutcome> {
    const provider = await this.parts.providers.named(providerName);
    if (provider === undefined) return page(notSignedInThere(request));
    try {
      const config = await this.parts.providers.clientOf(provider);
      const { state, request: kept } = await this.parts.requests.begin(request.uid, provider.id);
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: this.redirectUri(provider),
        scope: provider.scopes.join(' '),
        state,
        nonce: kept.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(kept.codeVerifier),
        code_challenge_method: 'S256',
      });
      return elsewhere(url.href);
    } catch (error) {
      return this.refuse(request, error, provider);
    }
  }

  /** Takes the provider's answer, which `ProviderCallback` has passed on to this interaction. */
  async finish(request: StepRequest, answer: URLSearchParams): Promise<StepOutcome> {
    const state = answer.get('state') ?? '';
    const sent = await this.parts.requests.redeem(state);
    const provider = sent === undefined ? undefined : await this.parts.providers.byId(sent.providerId);
    if (sent?.uid !== request.uid || provider === undefined)
      return this.refuse(request, unknownState, undefined);
    try {
      const proven = await this.prove(provider, sent, state, answer);
      return await this.signIn(request, proven);
    } catch (error) {
      return this.refuse(request, error, provider);
    }
  }

  private redirectUri({ name }: IdentityProviderRow): string {
    return `${this.parts.issuer}${paths.callback}/${name}`;
  }

  private async prove(
    provider: IdentityProviderRow,
    sent: SignInRequest,
    state: string,
    answer: URLSearchParams,
  ): Promise<ProvenIdentity> {
    const config = await this.parts.providers.clientOf(provider);
    const url = new URL(`${this.redirectUri(provider)}?${answer.toString()}`);
    const tokens = await client.authorizationCodeGrant(config, url, {
      expectedState: state,
      expectedNonce: sent.nonce,
      pkceCodeVerifier: sent.codeVerifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined) throw new Error('The library let an answer without an ID token pass.');
    return identityIn(config, provider, tokens, claims, sent.sentAt);
  }

  private async signIn(request: StepRequest, proven: ProvenIdentity): Promise<StepOutcome> {
    const outcome = await this.transaction((tx) => this.account(tx, request, proven));
    const { provider, subject, session, requestedAt } = proven;
    const { id: providerId, label } = provider;
    const by = { providerId, label, subject, requestedAt, ...(session === undefined ? {} : { session }) };
    switch (outcome.kind) {
      case 'user':
        return done({ login: { ...loginOf(outcome.user.id, outcome.user.version), provider: by } });
      case 'disabled':
        await this.record(request, proven, 'invalid_credentials', outcome.user.id);
        return page(askAdministratorPage(request, label));
      case 'signed-out':
        await this.record(request, proven, 'signed_out', outcome.user?.id);
        return page(notSignedInThere(request));
      case 'unknown':
        await this.record(request, proven, 'unknown_identity');
        return page(askAdministratorPage(request, label));
    }
  }

  /** The account, its roles and the record of the sign-in commit together. */
  private async account(
    tx: Connection,
    request: StepRequest,
    proven: ProvenIdentity,
  ): Promise<IdentityOutcome> {
    const outcome = await this.parts.identities.signIn(tx, proven);
    if (outcome.kind !== 'user') return outcome;
    await this.parts.recorder.recordAuthEventIn(tx, {
      ...eventBase(request),
      kind: 'sign_in',
      outcome: 'success',
      userId: outcome.user.id,
      detail: detailOf(proven.provider, proven.subject),
      changes: outcome.changes,
    });
    return outcome;
  }

  /** Of two first sign-ins at the same moment, the second finds the account of the first. */
  private transaction<T>(work: (tx: Connection) => Promise<T>): Promise<T> {
    const { database } = this.parts;
    return database.transaction(work).catch((error: unknown) => {
      if (!isDuplicate(error)) throw error;
      return database.transaction(work);
    });
  }

  private record(
    request: StepRequest,
    { provider, subject }: ProvenIdentity,
    errorCode: string,
    userId?: string,
  ): Promise<void> {
    return this.parts.recorder.recordAuthEvent({
      ...eventBase(request),
      kind: 'sign_in',
      outcome: 'refused',
      errorCode,
      detail: detailOf(provider, subject),
      ...(userId === undefined ? {} : { userId }),
    });
  }

  private async refuse(
    request: StepRequest,
    error: unknown,
    provider: IdentityProviderRow | undefined,
  ): Promise<StepOutcome> {
    const refusal = error === unknownState ? unknownState : refusalOf(error);
    if (refusal === undefined) throw error;
    const { outcome, errorCode, reason } = refusal;
    const detail = provider === undefined ? reason : `${detailOf(provider)}: ${reason}`;
    await this.parts.refusals.record({
      ...eventBase(request),
      kind: 'sign_in',
      outcome,
      errorCode,
      detail,
    });
    return page(outcome === 'failure' ? providerUnavailablePage(request) : notSignedInThere(request));
  }
}

export const unknownState: Refusal = {
  outcome: 'refused',
  errorCode: 'invalid_state',
  reason: 'the answer belongs to no request that waits for one',
};

const detailOf = ({ name }: IdentityProviderRow, subject?: string): string =>
  `provider ${name}${subject === undefined ? '' : `, subject ${subject}`}`;
