import { isFiltered, isSorted, type FieldDeclaration, type TypeDeclaration } from './declaration.js';
import { anyOne, madeMutations, mutationTypeNames } from './made-mutations.js';
import { upperFirst } from '../../core/words.js';

const quoted = (text: string): string => JSON.stringify(text);
const scope = (name: string, of?: string): string =>
  of === undefined ? `@scope(name: ${quoted(name)})` : `@scope(name: ${quoted(name)}, of: ${quoted(of)})`;

/** The arguments of a page of a type, as in `(filter: OrderFilter, …)`. */
export function pageArguments(type: TypeDeclaration): string {
  const lines = [
    ...(isFiltered(type)
      ? [`"Which of them; all conditions hold at once."`, `filter: ${type.name}Filter`]
      : []),
    ...(isSorted(type) ? [`"How to sort."`, `orderBy: ${type.name}Order`] : []),
    `"How many; 20 unless said."`,
    `first: Int @plain`,
    `"The cursor after which to go on."`,
    `after: String @plain`,
  ];
  return `(\n${lines.map((line) => `    ${line}\n`).join('')}  )`;
}

/** The names of the types that are made of a type. */
export const madeTypeNames = (type: TypeDeclaration): string[] => [
  `${type.name}Connection`,
  `${type.name}Edge`,
  ...(isFiltered(type) ? [`${type.name}Filter`] : []),
  ...(isSorted(type) ? [`${type.name}Order`] : []),
  ...mutationTypeNames(type),
];

/** Everything that is made of a type beside its own definition. */
export const madeTypes = (type: TypeDeclaration): string =>
  [
    ...queries(type),
    ...filter(type),
    ...order(type),
    connection(type),
    edge(type),
    ...madeMutations(type),
  ].join('\n\n');

function queries(type: TypeDeclaration): string[] {
  const { name, one, many, query } = type;
  const fields: string[] = [];
  const missing = 'null where it is not there or out of reach.';
  if (query.one !== undefined) {
    fields.push(
      `  ${quoted(`One ${one}; ${missing}`)}\n` +
        `  ${query.one}(${quoted(`The ${one}'s id.`)} id: ID! @plain): ${name} ${scope(type.scope)}`,
    );
  }
  for (const field of type.fields) {
    if (field.find === undefined) continue;
    fields.push(
      `  ${quoted(`One ${one} by its ${field.one}; ${missing}`)}\n  ${field.find}(\n    ${quoted(`The ${field.one}.`)}\n` +
        `    ${field.name}: ${field.type}! ${scope(field.scope, `${name}.${field.name}`)}${personal(field)}\n` +
        `  ): ${name} ${scope(type.scope)}`,
    );
  }
  if (query.list !== undefined) {
    fields.push(
      `  ${quoted(`${upperFirst(many)}, ${sortedBy(type)}${isSorted(type) ? ' unless sorted otherwise' : ''}.`)}\n` +
        `  ${query.list}${pageArguments(type)}: ${name}Connection ${scope(type.scope)}`,
    );
  }
  return fields.length === 0 ? [] : [`extend type Query {\n${fields.join('\n')}\n}`];
}

function sortedBy({ order, fields }: TypeDeclaration): string {
  const field = fields.find(({ name }) => name === order.by);
  if (field?.type === 'DateTime')
    return order.direction === 'DESC' ? 'the latest first' : 'the earliest first';
  return `by ${field?.one ?? order.by}`;
}

const personal = (field: FieldDeclaration): string => (field.isPersonal ? ' @personal' : '');

function filter(type: TypeDeclaration): string[] {
  if (!isFiltered(type)) return [];
  const fields = type.fields.flatMap((field) =>
    field.filters.map(
      ({ by, name, description }) =>
        `  ${quoted(description)}\n  ${name}: ${filterType(field, by)} ` +
        `${scope(field.scope, `${type.name}.${field.name}`)}${personal(field)}\n`,
    ),
  );
  return [`${quoted(`Which ${type.many}.`)}\ninput ${type.name}Filter {\n${fields.join('')}}`];
}

const filterType = (field: FieldDeclaration, by: string): string => {
  if (by === 'ONE_OF') return `[${field.type}!]`;
  return field.type === 'Money' ? 'MoneyInput' : field.type;
};

function order(type: TypeDeclaration): string[] {
  if (!isSorted(type)) return [];
  const fields = type.fields.flatMap((field) =>
    field.sort === undefined
      ? []
      : [
          `  ${quoted(field.sort)}\n  ${field.name}: Direction ${scope(field.scope, `${type.name}.${field.name}`)}\n`,
        ],
  );
  return [`${quoted(`How to sort ${type.many}.`)}\ninput ${type.name}Order @oneOf {\n${fields.join('')}}`];
}

const connection = ({ name, many, scope: own }: TypeDeclaration): string => `${quoted(`A page of ${many}.`)}
type ${name}Connection {
  ${quoted(`The ${many} with their cursors.`)}
  edges: [${name}Edge!]! ${scope(own)}
  ${quoted(`The ${many}.`)}
  nodes: [${name}!]! ${scope(own)}
  "Where the page ends."
  pageInfo: PageInfo! ${scope(own)}
  "How many there are inside the caller's boundary, on all pages together."
  totalCount: Int! ${scope(own)} @cost(weight: 10)
}`;

const edge = ({ name, one, scope: own }: TypeDeclaration): string =>
  `${quoted(`${upperFirst(anyOne(one))} in a page.`)}
type ${name}Edge {
  "Where it stands in the list."
  cursor: String! ${scope(own)} @cost(weight: 20)
  "The row."
  node: ${name}! ${scope(own)}
}`;
