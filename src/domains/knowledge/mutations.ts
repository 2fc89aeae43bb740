import { badInput, notFound } from '../../core/errors.js';
import { isoTime } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import type { Operation } from '../../delegation/resolver-context.js';
import { eq } from '../../store/sql/condition.js';
import { passagesOf, type PassageText } from './passages.js';
import { collections, documents, documentVersions, passageWords, type DocumentRow } from './tables.js';
import { bodyOf, isCollectionKey, passageRows, titleOf, versionRow } from './document-writes.js';

interface CreateArgs {
  readonly collection: string;
  readonly title: string;
  readonly classification: string;
  readonly body: string;
  readonly idempotencyKey: string;
}

interface UpdateArgs {
  readonly id: string;
  readonly title?: string | null;
  readonly body?: string | null;
  readonly expectedVersion: number;
  readonly idempotencyKey: string;
}

interface ClassifyArgs {
  readonly id: string;
  readonly classification: string;
  readonly expectedVersion: number;
  readonly idempotencyKey: string;
}

interface Payload {
  readonly document: DocumentRow;
}

/** The scopes of the mutations. A written row must be inside their boundaries before and after. */
const write = 'documents:write';
const classify = 'documents:classify';

export function createDocument(_: unknown, args: CreateArgs, operation: Operation): Promise<Payload> {
  const { idempotencyKey, ...input } = args;
  return once(operation, idempotencyKey, 'createDocument', input, async () => {
    const title = titleOf(input.title);
    const body = bodyOf(input.body);
    if (!isCollectionKey(input.collection)) throw notFound('Collection');
    const isThere = await operation.rows.exists(collections, eq('key', input.collection), write);
    if (!isThere) throw notFound('Collection');
    const { person } = operation.authority.chain;
    const now = isoTime(operation.clock.now());
    const document = await operation.rows.insert(
      documents,
      {
        ...{ id: operation.ids.next(), title, body, collection: input.collection },
        ...{ classification: input.classification.toLowerCase(), version: 1 },
        ...{
          ownerId: person.id,
          ownerName: person.displayName,
          sourcePath: null,
          sourceUrl: null,
          createdAt: now,
          updatedAt: now,
        },
      },
      write,
    );
    return keep(operation, document, write);
  });
}

export function updateDocument(_: unknown, args: UpdateArgs, operation: Operation): Promise<Payload> {
  const { idempotencyKey, ...input } = args;
  return once(operation, idempotencyKey, 'updateDocument', input, async () => {
    const title = input.title ?? null;
    const body = input.body ?? null;
    if (title === null && body === null) throw badInput('Give a new `title`, a new `body` or both.');
    const changes = {
      ...(title === null ? {} : { title: titleOf(title) }),
      ...(body === null ? {} : { body: bodyOf(body) }),
      updatedAt: isoTime(operation.clock.now()),
    };
    const document = await operation.rows.update(documents, input.id, changes, write, input.expectedVersion);
    return keep(operation, document, write);
  });
}

export function setDocumentClassification(
  _: unknown,
  args: ClassifyArgs,
  operation: Operation,
): Promise<Payload> {
  const { idempotencyKey, ...input } = args;
  return once(operation, idempotencyKey, 'setDocumentClassification', input, async () => {
    const changes = {
      classification: input.classification.toLowerCase(),
      updatedAt: isoTime(operation.clock.now()),
    };
    const document = await operation.rows.update(
      documents,
      input.id,
      changes,
      classify,
      input.expectedVersion,
    );
    return keep(operation, document, classify);
  });
}

/** The mutation's name is part of the input, so that one key cannot stand for two kinds of change. */
const once = (
  operation: Operation,
  key: string,
  mutation: string,
  input: object,
  work: () => Promise<Payload>,
): Promise<Payload> => operation.once(key, { mutation, ...input }, { document: documents }, work);

/**
 * Stores a document's new version, and rebuilds its passages with the document's new collection and
 * classification.
 */
async function keep(operation: Operation, document: DocumentRow, scope: string): Promise<Payload> {
  const { rows, ids } = operation;
  const parent = { table: documents, id: document.id };
  const version = versionRow(document, changedBy(operation), ids);
  await rows.addParts(parent, { table: documentVersions, column: 'documentId' }, [version], scope);
  await rows.replaceParts(
    parent,
    { index: passageWords, column: 'documentId' },
    passageRows(document, await passagesFor(operation, document), ids),
    scope,
  );
  return { document };
}

type Text = Pick<DocumentRow, 'title' | 'body'>;

/** Run in advance, because the passages of a long document take a second. */
const passagesFor = (operation: Operation, { title, body }: Text): Promise<PassageText[]> =>
  operation.beforehand(`passages ${sha256(`${title}\0${body}`)}`, () => passagesOf({ title, body }));

/** Builds the passages of a new document before its transaction. */
export async function beforeCreating({ title, body }: CreateArgs, operation: Operation): Promise<void> {
  await passagesFor(operation, { title: titleOf(title), body: bodyOf(body) });
}

/**
 * Builds the passages of a changed document before its transaction. They are used if nobody else changes it
 * in between.
 */
export async function beforeChanging(
  { id, title, body }: Pick<UpdateArgs, 'id' | 'title' | 'body'>,
  operation: Operation,
): Promise<void> {
  const now = await operation.rows.need(documents, id);
  await passagesFor(operation, {
    title: isGiven(title) ? titleOf(title) : now.title,
    body: isGiven(body) ? bodyOf(body) : now.body,
  });
}

const isGiven = (text: string | null | undefined): text is string => text !== null && text !== undefined;

/** `Mara Lindt through Support agent`, truncated to the column. */
function changedBy(operation: Operation): string {
  const { person, agents } = operation.authority.chain;
  const agent = agents.at(-1);
  const name =
    agent === undefined ? person.displayName : `${person.displayName} through ${agent.displayName}`;
  return [...name].slice(0, 200).join('');
}
