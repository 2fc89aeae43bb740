import type { Adapter } from 'oidc-provider';

/** What the library would keep of a backchannel request. A device code stands for it: see `BackchannelRequests`. */
export const notKept: Adapter = {
  upsert: () => Promise.resolve(),
  find: () => Promise.resolve(undefined),
  findByUid: () => Promise.resolve(undefined),
  findByUserCode: () => Promise.resolve(undefined),
  consume: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
  revokeByGrantId: () => Promise.resolve(),
};
