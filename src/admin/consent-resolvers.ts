import { giveConsent, type ConsentRequest } from '../delegation/consent.js';
import type { Catalog } from '../delegation/schema-catalog.js';
import { withdrawConsent } from '../delegation/end-delegation.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { agents, consents, roles, users, type ConsentRow } from '../store/tables/identity.js';
import { boundaryInput, type DimensionInput } from './boundary-input.js';
import { noteEnded } from './delegation-resolvers.js';
import { dimensionsOf, newestFirst, type PageArgs } from './list-queries.js';
import { shown, unitOfWork } from './unit-of-work.js';

interface GiveArgs {
  readonly input: Omit<ConsentRequest, 'boundary'> & { boundary?: readonly DimensionInput[] | null };
  readonly idempotencyKey: string;
}
interface OneArgs {
  readonly id: string;
  readonly idempotencyKey: string;
}

const answer = { consent: consents };

const give =
  (catalog: Catalog) =>
  (_: unknown, { input, idempotencyKey }: GiveArgs, operation: Operation) =>
    operation.once(idempotencyKey, { giveConsent: input }, answer, async () => {
      const { boundary: dimensions, ...rights } = input;
      const boundary = boundaryInput(dimensions ?? []);
      const { trail, ...unit } = unitOfWork(operation);
      const given = await giveConsent({ ...unit, catalog }, operation.authority, { ...rights, boundary });
      const { consent, replaced, ended } = given;
      trail.touched(consents.type, [consent.id], 'create');
      trail.changed({ type: consents.type, id: consent.id, before: null, after: shown(consent) });
      for (const { id } of replaced) noteRevoked(operation, id, consent.createdAt);
      noteEnded(operation, ended);
      operation.rows.forget();
      return { consent: await operation.rows.inside(consents, consent.id, 'delegations:create') };
    });

const withdraw = (_: unknown, { id, idempotencyKey }: OneArgs, operation: Operation) =>
  operation.once(idempotencyKey, { withdrawConsent: id }, answer, async () => {
    const before = await operation.rows.inside(consents, id, 'delegations:revoke');
    const { tx, clock } = unitOfWork(operation);
    const by = operation.authority.chain.person.id;
    const { consent, ended } = await withdrawConsent({ tx, clock, by }, id);
    noteEnded(operation, ended);
    if (before.revokedAt === null) noteRevoked(operation, id, consent.revokedAt);
    return { consent: await operation.rows.inside(consents, id, 'delegations:revoke') };
  });

function noteRevoked({ trail }: Operation, id: string, revokedAt: string | null): void {
  trail.touched(consents.type, [id], 'update');
  trail.changed({ type: consents.type, id, before: { revokedAt: null }, after: { revokedAt } });
}

export const consentResolvers = (catalog: Catalog): Resolvers => ({
  Query: {
    consents: (_: unknown, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.list(consents, { order: newestFirst, first, after }),
  },
  Mutation: { giveConsent: give(catalog), withdrawConsent: withdraw },
  Consent: {
    person: (row: ConsentRow, _: unknown, operation: Operation) => operation.rows.get(users, row.userId),
    agent: (row: ConsentRow, _: unknown, operation: Operation) => operation.rows.get(agents, row.agentId),
    role: (row: ConsentRow, _: unknown, operation: Operation) => operation.rows.get(roles, row.roleId),
    boundary: (row: ConsentRow) => dimensionsOf(row.boundary),
  },
});
