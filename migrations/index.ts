import { Identity1700000000001 } from './0001-identity.js';
import { Delegation1700000000002 } from './0002-delegation.js';
import { Audit1700000000003 } from './0003-audit.js';
import { Knowledge1700000000004 } from './0004-knowledge.js';
import { Business1700000000005 } from './0005-business.js';
import { IdentityProviders1700000000006 } from './0006-identity-providers.js';
import { SignIns1700000000007 } from './0007-sign-ins.js';
import { TokenIssuers1700000000008 } from './0008-token-issuers.js';
import { Passkeys1700000000009 } from './0009-passkeys.js';
import { ConsentEnds1700000000010 } from './0010-consent-ends.js';
import { AgentRedirectUris1700000000011 } from './0011-agent-redirect-uris.js';
import { SignalTransmitters1700000000012 } from './0012-signal-transmitters.js';
import { SignInPolicies1700000000013 } from './0013-sign-in-policies.js';
import { Clients1700000000014 } from './0014-clients.js';
import { ResourceServers1700000000016 } from './0016-resource-servers.js';
import { AgentWorkloads1700000000017 } from './0017-agent-workloads.js';
import { SigningKeys1700000000018 } from './0018-signing-keys.js';
import { BackchannelRequests1700000000019 } from './0019-backchannel-requests.js';
import { TokenBindings1700000000020 } from './0020-token-bindings.js';
import { LongClientIds1700000000021 } from './0021-long-client-ids.js';
import { ClientRequests1700000000022 } from './0022-client-requests.js';

/** In the order in which they run. A new one is a new file and one line here. */
export const migrations = [
  Identity1700000000001,
  Delegation1700000000002,
  Audit1700000000003,
  Knowledge1700000000004,
  Business1700000000005,
  IdentityProviders1700000000006,
  SignIns1700000000007,
  TokenIssuers1700000000008,
  Passkeys1700000000009,
  ConsentEnds1700000000010,
  AgentRedirectUris1700000000011,
  SignalTransmitters1700000000012,
  SignInPolicies1700000000013,
  Clients1700000000014,
  ResourceServers1700000000016,
  AgentWorkloads1700000000017,
  SigningKeys1700000000018,
  BackchannelRequests1700000000019,
  TokenBindings1700000000020,
  LongClientIds1700000000021,
  ClientRequests1700000000022,
];
