/** Faulty requests by a known caller: name, body, headers, and the status of the answer. */
export const malformed: readonly [string, string, Record<string, string>, number][] = [
  ['half a document of JSON', '{', {}, 400],
  ['no query', '{}', {}, 400],
  ['an empty query', '{"query":""}', {}, 400],
  ['a query that is none', '{"query":"{ customers"}', {}, 400],
  ['a field that does not exist', '{"query":"{ nope }"}', {}, 400],
  [
    'several operations, and none named',
    '{"query":"query A { viewer { scopes } } query B { viewer { scopes } }"}',
    {},
    400,
  ],
  [
    'an operation that is not there',
    '{"query":"query A { viewer { scopes } }","operationName":"B"}',
    {},
    400,
  ],
  [
    'a variable of a wrong type',
    '{"query":"query ($n: Int) { customers(first: $n) { totalCount } }","variables":{"n":"x"}}',
    {},
    400,
  ],
  ['two operations in one request', '[{"query":"{ viewer { scopes } }"}]', {}, 400],
  ['another content type', 'query', { 'content-type': 'text/plain' }, 415],
  ['more than the server reads', `{"query":"${'x'.repeat(1_100_000)}"}`, {}, 413],
];
