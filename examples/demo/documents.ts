/** The operations of the story; each has a name that finds its record. */

/** Rosa looks the ticket up before she hands it over. */
export const findTicket = `query FindTicket($number: String!) {
  ticketByNumber(number: $number) {
    id subject
    customer { id name orders { totalCount } }
  }
}`;

export const delegate = `mutation HandOver($input: DelegateInput!, $key: String!) {
  delegate(input: $input, idempotencyKey: $key) {
    delegation { id task purpose scopes status expiresAt boundary { dimension all values } }
  }
}`;

export const whoAmI = `query WhoAmI {
  viewer {
    person { displayName }
    agents { name role }
    task { delegationId task purpose operationsLeft }
    scopes
    requestableScopes
    boundaries { scope anyOf { dimensions { name all values } } }
  }
}`;

export const searchKnowledge = `query SearchKnowledge($query: String!) {
  search(query: $query, first: 5) {
    nodes { snippet citation { title heading version } document { classification collection { name } } }
  }
}`;

export const readCase = `query ReadCase($number: String!) {
  ticketByNumber(number: $number) {
    id number subject status
    messages { totalCount nodes { author body } }
    order { id number status lines { nodes { quantity total { amount currency } product { sku name } } } }
    customer {
      id name contactName
      orders { totalCount nodes { id number total { amount currency } } }
    }
  }
}`;

export const answerTicket = `mutation AnswerTicket($ticketId: ID!, $body: String!, $key: String!) {
  replyToTicket(ticketId: $ticketId, body: $body, idempotencyKey: $key) {
    message { id author authorName body createdAt }
    ticket { id version updatedAt }
  }
}`;

export const readMessages = `query ReadMessages($number: String!) {
  ticketByNumber(number: $number) { messages { totalCount nodes { author authorName } } }
}`;

export const readInvoice = `query ReadInvoice($number: String!) {
  invoiceByNumber(number: $number) { number amount { amount currency } }
}`;

/** A field of a customer that may not exist. */
export const readField = (field: string): string => `query ReadField($id: ID!) {
  customer(id: $id) { name ${field} { amount currency } }
}`;

export const readSchema = `query ReadSchema {
  __schema { types { name fields { name args { name } } inputFields { name } enumValues { name } } }
}`;

/** Rosa may look at every customer. */
export const listCustomers = `query ListCustomers {
  customers(first: 20) { totalCount nodes { id name tickets(first: 1) { nodes { id number } } } }
}`;

export const readCustomer = `query ReadCustomer($id: ID!) {
  customer(id: $id) { id name }
}`;

export const countCustomers = `query CountCustomers {
  customers { totalCount nodes { id } }
}`;

export const revoke = `mutation Revoke($id: ID!, $key: String!) {
  revokeDelegation(id: $id, idempotencyKey: $key) { delegation { id status } }
}`;

export const readContact = `query ReadContact($id: ID!) {
  customer(id: $id) { name contactName }
}`;

export const findRole = `query FindRole($name: String!) {
  roles(filter: { name: $name }) { nodes { id version scopes } }
}`;

export const changeRole = `mutation ChangeRole($id: ID!, $scopes: [String!]!, $version: Int!, $key: String!) {
  updateRole(id: $id, input: { scopes: $scopes }, expectedVersion: $version, idempotencyKey: $key) {
    role { id version scopes }
  }
}`;

export const readRecords = `query ReadRecords($since: DateTime!, $after: String) {
  auditRecords(filter: { since: $since }, first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id at kind outcome task purpose operationName operationType variables rowCount
      chain { person { displayName } agents { displayName role } }
      decisions { coordinate scope layer reason }
      resources { type action count ids }
      changes { type id before after }
      errors { code }
    }
  }
}`;
