import {
  OperationTypeNode,
  type DocumentNode,
  type FieldNode,
  type SelectionSetNode,
} from 'graphql/language/ast.js';
import { Kind } from 'graphql/language/kinds.js';
import { parse } from 'graphql/language/parser.js';

type Members = Readonly<Record<string, unknown>>;

interface OperationBody {
  /** The body to send. */
  readonly text: string;
  /** Whether a second arrival changes nothing: a query, or a mutation whose every field has an idempotency key. */
  readonly isRepeatable: boolean;
}

/**
 * Reads the body of a GraphQL request. Where a mutation has a variable as `idempotencyKey` and the caller gave it no
 * value, it gets a new key. A body that tells nothing of its operation stays as it is, and is not repeatable.
 */
export function readOperation(text: string): OperationBody {
  const body = jsonOf(text);
  const fields = body === undefined ? undefined : mutationFields(body);
  if (body === undefined || fields === undefined) return { text, isRepeatable: false };
  const given = isObject(body.variables) ? body.variables : {};
  const keys = fields.map((field) => keyOf(field, given));
  const isRepeatable = keys.every((key) => key !== 'none');
  const open = keys.flatMap((key) => (typeof key === 'object' ? [key.variable] : []));
  if (open.length === 0) return { text, isRepeatable };
  const made = Object.fromEntries(open.map((variable) => [variable, crypto.randomUUID()]));
  return { text: JSON.stringify({ ...body, variables: { ...given, ...made } }), isRepeatable };
}

/** The key of a mutation's field: the caller's own, none, or a variable that waits for one. */
type Key = 'given' | 'none' | { readonly variable: string };

function keyOf({ arguments: args = [] }: FieldNode, variables: Members): Key {
  const value = args.find(({ name }) => name.value === 'idempotencyKey')?.value;
  if (value?.kind === Kind.STRING) return 'given';
  if (value?.kind !== Kind.VARIABLE) return 'none';
  const variable = value.name.value;
  return (variables[variable] ?? null) === null ? { variable } : 'given';
}

/** The fields of the operation that change something; none for a query. Undefined where the body does not tell. */
function mutationFields({ query, operationName }: Members): readonly FieldNode[] | undefined {
  const document = typeof query === 'string' ? documentOf(query) : undefined;
  const operations = (document?.definitions ?? []).filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  const [operation, another] =
    typeof operationName === 'string'
      ? operations.filter(({ name }) => name?.value === operationName)
      : operations;
  if (document === undefined || operation === undefined || another !== undefined) return undefined;
  if (operation.operation === OperationTypeNode.QUERY) return [];
  return operation.operation === OperationTypeNode.MUTATION
    ? fieldsIn(operation.selectionSet, document)
    : undefined;
}

/** Fields of fragments included, each fragment once. */
function fieldsIn(
  { selections }: SelectionSetNode,
  document: DocumentNode,
  seen = new Set<string>(),
): FieldNode[] {
  return selections.flatMap((one) => {
    if (one.kind === Kind.FIELD) return [one];
    if (one.kind === Kind.INLINE_FRAGMENT) return fieldsIn(one.selectionSet, document, seen);
    const name = one.name.value;
    const spread = seen.has(name) ? undefined : fragmentOf(name, document);
    seen.add(name);
    return spread === undefined ? [] : fieldsIn(spread, document, seen);
  });
}

const fragmentOf = (wanted: string, { definitions }: DocumentNode): SelectionSetNode | undefined =>
  definitions.flatMap((one) =>
    one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === wanted ? [one.selectionSet] : [],
  )[0];

function documentOf(text: string): DocumentNode | undefined {
  try {
    return parse(text, { noLocation: true });
  } catch {
    return undefined;
  }
}

function jsonOf(text: string): Members | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
