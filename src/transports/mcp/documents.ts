/** The documents of this transport itself. */

export const whoamiDocument = `query McpWhoami {
  viewer {
    person { displayName }
    agents { name role }
    task { task purpose expiresAt operationsLeft rowsLeft depthLeft }
    scopes
    requestableScopes
    boundaries { scope anyOf { dimensions { name all values } } }
  }
}`;

const found = `{
    nodes { snippet passage { heading } document { id title version } }
    pageInfo { hasNextPage endCursor }
  }`;

export const searchDocument = `query McpSearchKnowledge($words: String!, $first: Int, $after: String) {
  search(query: $words, first: $first, after: $after) ${found}
}`;

/** Not everyone who may search has a scope for collections. */
export const searchCollectionDocument = `query McpSearchCollection($words: String!, $collection: String!, $first: Int, $after: String) {
  search(query: $words, collection: $collection, first: $first, after: $after) ${found}
}`;

export const readDocument = `query McpReadDocument($id: ID!) {
  document(id: $id) { version body }
}`;
