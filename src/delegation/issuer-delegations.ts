import { isoTime, type Clock } from '../core/clock.js';
import { all, eq, isIn, not, type Condition } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { oauthPayloads, type DelegationRow, type OAuthPayloadRow } from '../store/tables/identity.js';
import { issuerDelegations, type IssuerDelegationRow } from '../store/tables/token-issuers.js';
import { bumpEpoch } from './authority-epoch.js';
import { endAll, type EndContext, type Ended } from './end-delegation.js';

/** Notes that a token of an issuer made a delegation, or named one that was there. */
export async function noteIssuer(
  { tx, clock }: { readonly tx: Connection; readonly clock: Clock },
  token: { readonly issuerId: string; readonly subject: string },
  { id: delegationId, agentId }: Pick<DelegationRow, 'id' | 'agentId'>,
  made: boolean,
): Promise<void> {
  const { issuerId, subject } = token;
  const key = { issuerId, delegationId, subject };
  const isKnown = all<IssuerDelegationRow>(
    eq('issuerId', issuerId),
    eq('delegationId', delegationId),
    eq('subject', subject),
  );
  if ((await tx.one(issuerDelegations, isKnown)) !== undefined) return;
  await tx.insert(issuerDelegations, [{ ...key, agentId, made, createdAt: isoTime(clock.now()) }]);
}

/**
 * Ends what rests on tokens of issuers: the delegations that they made, and the access tokens under the delegations that
 * they named. A delegation that a person made stays.
 */
export async function endByIssuer(
  context: EndContext,
  which: Condition<IssuerDelegationRow>,
): Promise<readonly Ended[]> {
  const { tx } = context;
  await bumpEpoch(tx);
  const rows = await tx.select(issuerDelegations, which);
  const idsOf = (made: boolean): string[] =>
    rows.filter((row) => row.made === made).map((row) => row.delegationId);
  const isToken = all<OAuthPayloadRow>(isIn('grantId', idsOf(false)), not(eq('model', 'Grant')));
  await tx.delete(oauthPayloads, isToken);
  const ended = await endAll(context, idsOf(true));
  await tx.delete(issuerDelegations, which);
  return ended;
}
