import { readSdl } from '../../src/graphql/schema/sdl.js';

/** The SDL with scopes where no shipped scope is hidden from a support agent. */
export const scopedSdl = [
  ['RESTRICTED\n', 'RESTRICTED @scope(name: "documents:classify")\n'],
  ['stock: Int! @scope(name: "products:read")', 'stock: Int @scope(name: "stock:read")'],
  ['@scope(name: "products:read", of: "Product.stock")', '@scope(name: "stock:read", of: "Product.stock")'],
  [
    'collection: Collection @scope(name: "collections:read")',
    'collection: Collection @scope(name: "documents:read_history")',
  ],
  [
    '@scope(name: "collections:read", of: "Document.collection")',
    '@scope(name: "documents:read_history", of: "Document.collection")',
  ],
].reduce((text, [from = '', to = '']) => text.replaceAll(from, to), readSdl());
