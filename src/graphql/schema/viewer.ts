import { storeBoundary } from '../../authority/boundary.js';
import { isNameable } from '../../authority/explain.js';
import type { Operation, Resolvers } from '../../delegation/resolver-context.js';

/** The caller, answered from the authority itself. */
export const viewerResolvers: Resolvers = {
  Query: { viewer: () => ({}) },
  Viewer: {
    person: (_viewer, _args, { authority }) => authority.chain.person,
    agents: (_viewer, _args, { authority }) => authority.chain.agents,
    task: async (_viewer, _args, operation) => {
      const { task } = operation.authority;
      return task === undefined ? null : { ...task, ...(await operation.taskLimits()) };
    },
    scopes: (_viewer, _args, { authority }) => held(authority),
    requestableScopes: (_viewer, _args, { authority }) =>
      [...authority.ceiling]
        .filter((scope) => !authority.allows(scope) && isNameable(authority, scope))
        .sort(),
    boundaries: (_viewer, _args, { authority }) =>
      held(authority).map((scope) => ({
        scope,
        anyOf: authority.boundaries(scope).map((boundary) => ({
          dimensions: Object.entries(storeBoundary(boundary)).map(([name, values]) => ({
            name,
            all: values === 'all',
            values: values === 'all' ? [] : values,
          })),
        })),
      })),
  },
};

const held = (authority: Operation['authority']): string[] =>
  [...authority.rights.keys()].filter((scope) => authority.allows(scope)).sort();
