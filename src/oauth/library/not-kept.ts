import type { Adapter } from 'oidc-provider';

/** The library's own model of a backchannel request keeps nothing. A device code stands for it: see `BackchannelRequests`. */
export const notKept: Adapter = {
  upsert: () => Promise.resolve(),
  find: () => Promise.resolve(undefined),
  findByUid: () => Promise.resolve(undefined),
  findByUserCode: () => Promise.resolve(undefined),
  consume: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
  revokeByGrantId: () => Promise.resolve(),
};
