/** Found by the words of GraphQL's messages. */
const sentences: readonly (readonly [RegExp, string])[] = [
  [/^Syntax Error/, 'Mend the syntax of `document`, and send it again.'],
  [/^Variable "\$/, 'Send `variables` with a fitting value for it.'],
  [/`operationName`/, 'Send exactly one operation in `document`.'],
  [/^This runs a query,/, 'Send a mutation by `mutate`.'],
  [/^This runs a mutation,/, 'Send a query by `query`.'],
  [
    /^(?:Cannot query field|Unknown |Field |Value |Expected value|Enum )|" is not defined by /,
    'Look for the right names and types with `search_schema`, then send it again.',
  ],
];

/** Advice in one sentence for a model whose document has a fault, in the names of MCP's tools; undefined where its message says it itself. */
export const documentAdvice = (message: string): string | undefined =>
  sentences.find(([words]) => words.test(message))?.[1];
