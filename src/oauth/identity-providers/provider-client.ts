import * as client from 'openid-client';
import type { IdentityProviderRow } from '../../store/tables/identity-providers.js';
import {
  idTokenAlgorithms,
  isSafeUrl,
  metadataReport,
  usesHttp,
  type MetadataReport,
} from './provider-metadata.js';

/** How long one request to a provider may take. */
const timeoutSeconds = 5;

/** With this metadata of the provider, nobody can sign in. */
export class UnfitProvider extends Error {
  override readonly name = 'UnfitProvider';

  constructor(readonly report: MetadataReport) {
    super(report.faults.join('; '));
  }
}

interface Access {
  readonly allowHttp: boolean;
}

type Known = Pick<IdentityProviderRow, 'issuer' | 'scopes' | 'clientId'>;

// Which URLs may be http is decided by `metadataReport`.
// eslint-disable-next-line @typescript-eslint/no-deprecated
const permitHttp: (config: client.Configuration) => void = client.allowInsecureRequests;

type MetadataKind = NonNullable<client.DiscoveryRequestOptions['algorithm']>;

async function fetchMetadata(
  { issuer, clientId }: Pick<Known, 'issuer' | 'clientId'>,
  algorithm: MetadataKind = 'oidc',
): Promise<client.ServerMetadata> {
  const isHttp = issuer.startsWith('http:');
  const found = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
    algorithm,
    timeout: timeoutSeconds,
    ...(isHttp ? { execute: [permitHttp] } : {}),
  });
  return found.serverMetadata();
}

/** The faults of the provider's metadata, and notes on it. Throws where the metadata cannot be read. */
export const reportOn = async (provider: Known, { allowHttp }: Access): Promise<MetadataReport> =>
  metadataReport(provider, await fetchMetadata(provider), allowHttp);

/**
 * The address of an issuer's public keys, by its metadata (OpenID Connect Discovery, or else RFC 8414). Throws where there
 * is none, or it is not safe.
 */
export async function findKeys(issuer: string, { allowHttp }: Access): Promise<string> {
  const known = { issuer, clientId: 'unused' };
  const metadata = await fetchMetadata(known).catch(() => fetchMetadata(known, 'oauth2'));
  if (metadata.issuer !== issuer) throw new Error(`its metadata is that of ${metadata.issuer}`);
  const { jwks_uri: address } = metadata;
  if (address !== undefined && isSafeUrl(address, allowHttp)) return address;
  throw new Error('its metadata has no jwks_uri with https');
}

/**
 * Reads the provider's metadata, and makes a client that checks ID tokens in full, with their signatures. Throws
 * `UnfitProvider` where the metadata has faults.
 */
export async function makeClient(
  provider: Known,
  secret: string,
  { allowHttp }: Access,
): Promise<client.Configuration> {
  const metadata = await fetchMetadata(provider);
  const report = metadataReport(provider, metadata, allowHttp);
  if (report.faults.length > 0) throw new UnfitProvider(report);
  const offered = metadata.id_token_signing_alg_values_supported ?? ['RS256'];
  const algorithms = idTokenAlgorithms.filter((one) => offered.includes(one));
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const authentication = methods.includes('client_secret_basic')
    ? client.ClientSecretBasic(secret)
    : client.ClientSecretPost(secret);
  const config = new client.Configuration(
    { ...metadata, id_token_signing_alg_values_supported: algorithms },
    provider.clientId,
    { [client.clockTolerance]: clockToleranceSeconds },
    authentication,
  );
  config.timeout = timeoutSeconds;
  if (usesHttp(metadata)) permitHttp(config);
  client.enableNonRepudiationChecks(config);
  return config;
}

const clockToleranceSeconds = 10;
