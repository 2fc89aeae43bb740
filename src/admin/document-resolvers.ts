import { badInput } from '../core/errors.js';
import { oneLine } from '../core/checked-text.js';
import type { DocumentRules } from '../delegation/trusted-documents.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { eq, isNull, not } from '../store/sql/condition.js';
import { filterBy } from '../store/bounded/filter.js';
import { trustedDocuments, type TrustedDocumentRow } from '../store/tables/documents.js';
import { users } from '../store/tables/identity.js';
import { registerDocuments, retireDocument, type NewDocument } from './trusted-documents.js';
import { byName, fromStored, toStored, type PageArgs } from './list-queries.js';
import { changing, unitOfWork } from './unit-of-work.js';

interface DocumentFilter {
  readonly name?: string | null;
  readonly hash?: string | null;
  readonly kind?: string | null;
  readonly retired?: boolean | null;
}
interface DocumentsArgs extends PageArgs {
  readonly filter?: DocumentFilter | null;
}
interface RegisterArgs {
  readonly input: readonly NewDocument[];
  readonly idempotencyKey: string;
}
interface RetireArgs {
  readonly id: string;
  readonly idempotencyKey: string;
}
interface Registration {
  readonly ids: readonly string[];
}

const scope = 'operations:register';
const documentsMax = 500;

function listDocuments(operation: Operation, { filter, first, after }: DocumentsArgs) {
  const chosen = filterBy<TrustedDocumentRow, DocumentFilter>(
    operation.scopeOf,
    'TrustedDocumentFilter',
    filter,
    {
      name: (name) => eq('name', oneLine(name, 100, 'filter.name')),
      hash: (hash) => eq('hash', oneLine(hash, 100, 'filter.hash')),
      kind: (kind) => eq('kind', toStored(kind)),
      retired: (retired) => (retired ? not(isNull('retiredAt')) : isNull('retiredAt')),
    },
  );
  return operation.rows.list(trustedDocuments, { ...chosen, order: byName, first, after });
}

const register =
  (rules: DocumentRules) =>
  (_: unknown, { input, idempotencyKey }: RegisterArgs, operation: Operation) =>
    operation.once(idempotencyKey, { registerDocuments: input }, {}, async () => {
      if (input.length === 0 || input.length > documentsMax) {
        throw badInput(`Register 1 to ${String(documentsMax)} documents at once.`, 'input');
      }
      const by = operation.authority.chain.person.id;
      const { rows, ...counts } = await registerDocuments(unitOfWork(operation), rules, by, input);
      operation.rows.forget();
      return { ...counts, ids: rows.map((row) => row.id) };
    });

const retire = (_: unknown, { id, idempotencyKey }: RetireArgs, operation: Operation) =>
  operation.once(idempotencyKey, { retireDocument: id }, { document: trustedDocuments }, async () => ({
    document: await changing(operation, trustedDocuments, id, scope, (before, unit) =>
      retireDocument(unit, operation.authority.chain.person.id, before),
    ),
  }));

export const documentResolvers = (rules: DocumentRules): Resolvers => ({
  Query: {
    trustedDocument: (_: unknown, { name }: { name: string }, operation: Operation) =>
      operation.rows.getBy(trustedDocuments, 'standingName', oneLine(name, 100, 'name')),
    trustedDocumentByHash: (_: unknown, { hash }: { hash: string }, operation: Operation) =>
      operation.rows.getBy(trustedDocuments, 'standingHash', oneLine(hash, 100, 'hash')),
    trustedDocuments: (_: unknown, args: DocumentsArgs, operation: Operation) =>
      listDocuments(operation, args),
  },
  Mutation: { registerDocuments: register(rules), retireDocument: retire },
  TrustedDocument: {
    kind: (row: TrustedDocumentRow) => fromStored(row.kind),
    registeredBy: (row: TrustedDocumentRow, _: unknown, operation: Operation) =>
      operation.rows.get(users, row.registeredById),
    retired: (row: TrustedDocumentRow) => row.retiredAt !== null,
    retiredBy: (row: TrustedDocumentRow, _: unknown, operation: Operation) =>
      operation.rows.get(users, row.retiredById),
  },
  RegisterDocumentsPayload: {
    documents: ({ ids }: Registration, _: unknown, operation: Operation) =>
      Promise.all(ids.map((id) => operation.rows.need(trustedDocuments, id))),
  },
});
