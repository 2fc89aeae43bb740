const protocolVersion = '2026-07-28';
const meta = {
  'io.modelcontextprotocol/protocolVersion': protocolVersion,
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

const graphql = {
  path: '/graphql',
  headersOf: () => 'accept: application/json\r\n',
  bodyOf: ({ operationName, query, variables }) => JSON.stringify({ operationName, query, variables }),
  answerOf: (text) => JSON.parse(text),
  shown: (data) => data,
};

/** The tool that runs a document: a message of plain HTTP, without a client of the SDK. */
const mcp = {
  path: '/mcp',
  headersOf: ({ query }) =>
    `accept: application/json, text/event-stream\r\nmcp-protocol-version: ${protocolVersion}\r\n` +
    `mcp-method: tools/call\r\nmcp-name: ${toolOf(query)}\r\n`,
  bodyOf: ({ query, variables }) =>
    JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
      params: { name: toolOf(query), arguments: { document: query, variables }, _meta: meta },
    }),
  answerOf: (text) => JSON.parse(text).result?.structuredContent ?? { errors: [text] },
  /** A tool leaves out nulls, and says where it cut a list. */
  shown: (data, { cut = [] }) => cut.reduce(withCut, withoutNulls(data)),
};

const toolOf = (query) => (query.startsWith('mutation') ? 'mutate' : 'query');

/**
 * The ways in which one server is asked the same. `shown` is the part of a response's data that an answer should have.
 */
export const transports = { graphql, mcp };

const withoutNulls = (value) =>
  JSON.parse(JSON.stringify(value), (_name, member) => (member === null ? undefined : member));

/** Undefined where the list was not as long as the cut says. */
function withCut(whole, { path, shown, of }) {
  const steps = path.split('.');
  const last = steps.pop();
  const parent = steps.reduce((value, step) => value?.[step], whole);
  if (parent?.[last]?.length !== of) return undefined;
  parent[last].length = shown;
  return whole;
}
