import { kept, type Digest } from '../audit/kept-value.js';
import { fitting } from '../graphql/document/redact-variables.js';
import type { GuideRequest } from './operation-request.js';

/** The arguments of a question, as JSON for the record: long ones as digests. Those of a document come with the document. */
export function argumentsOf(question: GuideRequest, digest: Digest): string | null {
  const sent = namedIn(question);
  return fitting(digest, (lengthMax) =>
    Object.fromEntries(
      Object.entries(sent).map(([name, value]) => [name, kept([], value, lengthMax, digest)]),
    ),
  );
}

function namedIn(question: GuideRequest): object {
  switch (question.name) {
    case 'schema.search':
      return { words: question.words, from: question.from };
    case 'operation.explain':
      return { operationId: question.operationId };
    case 'scopes.explain':
      return { scopes: question.scopes };
    default:
      return {};
  }
}
