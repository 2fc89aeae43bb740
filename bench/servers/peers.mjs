const loaders = {
  'apollo-express': async () => (await import('./apollo.mjs')).apolloExpress,
  'apollo-express-nocache': async () => (await import('./apollo.mjs')).apolloExpressNoCache,
  'apollo-fastify': async () => (await import('./apollo.mjs')).apolloFastify,
  'apollo-fastify-nocache': async () => (await import('./apollo.mjs')).apolloFastifyNoCache,
  'apollo-shield': async () => (await import('./apollo-shield.mjs')).apolloShield,
  yoga: async () => (await import('./yoga.mjs')).yoga,
  mercurius: async () => (await import('./mercurius.mjs')).mercurius,
  'mercurius-auth': async () => (await import('./mercurius.mjs')).mercuriusAuth,
  floor: async () => (await import('./floor.mjs')).floor,
};

export const peerNames = Object.keys(loaders);

/** Those that know callers and what they may do; for the others `refused` has no meaning. */
export const enforcing = new Set(['behalf', 'apollo-shield', 'yoga', 'mercurius-auth']);

/** Starts a peer with `{ store, wordsOf }`; resolves to the port on which it listens. */
export const startPeer = async (name, parts) => (await loaders[name]())(parts);
