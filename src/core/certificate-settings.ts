import { z } from 'zod';
import { isAddressRange } from './address-ranges.js';
import { inTheClear, isWebOrigin } from './web-origins.js';

/** The settings about certificates of clients. */
export const certificateSettings = {
  BEHALF_CLIENT_CERTIFICATE_HEADER: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,59}$/, 'must be the name of a header, such as Client-Cert')
    .optional()
    .describe(
      'The header in which proxies pass the certificate of a client (RFC 8705), as RFC 9440 or URL-encoded PEM. It counts on connections from `BEHALF_CLIENT_CERTIFICATE_PROXIES` alone; elsewhere it is ignored. Default: certificates do not count.',
    ),
  BEHALF_CLIENT_CERTIFICATE_PROXIES: z
    .string()
    .transform((text) => text.split(',').map((range) => range.trim()))
    .pipe(
      z.array(
        z.string().refine(isAddressRange, 'must be addresses or ranges such as 10.0.3.0/24, but not all'),
      ),
    )
    .optional()
    .describe(
      'The addresses from which these proxies connect, separated by commas: addresses, or ranges such as `10.0.3.0/24`. Whoever connects from there can say which certificate a client has.',
    ),
  BEHALF_CLIENT_CERTIFICATE_AUTHORITIES: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A file with the certificates of the authorities that issue certificates to clients, PEM. Without it no client is authenticated by `tls_client_auth`. Default: none.',
    ),
  BEHALF_MTLS_URL: z
    .string()
    .refine(isWebOrigin, 'must be an origin')
    .optional()
    .describe(
      'The origin at which a proxy asks clients for certificates, where that is not the public URL: the metadata names its endpoints as `mtls_endpoint_aliases`. https, or http on loopback or with `BEHALF_ALLOW_HTTP`.',
    ),
} as const;

type CertificateSettings = z.infer<z.ZodObject<typeof certificateSettings>>;

const withHeader = [
  'BEHALF_CLIENT_CERTIFICATE_PROXIES',
  'BEHALF_CLIENT_CERTIFICATE_AUTHORITIES',
  'BEHALF_MTLS_URL',
] as const;

/** The faults between settings that do not fit together. */
export function certificateFaults(
  config: CertificateSettings & { readonly BEHALF_ALLOW_HTTP: boolean },
): string[] {
  if (config.BEHALF_CLIENT_CERTIFICATE_HEADER === undefined)
    return withHeader
      .filter((name) => config[name] !== undefined)
      .map((name) => `${name}: say BEHALF_CLIENT_CERTIFICATE_HEADER too, or leave both`);
  const { BEHALF_CLIENT_CERTIFICATE_PROXIES: proxies, BEHALF_MTLS_URL: url } = config;
  const faults = url === undefined ? [] : inTheClear('BEHALF_MTLS_URL', new URL(url), config);
  if (proxies !== undefined) return faults;
  return [
    'BEHALF_CLIENT_CERTIFICATE_HEADER: say BEHALF_CLIENT_CERTIFICATE_PROXIES too: it counts from these addresses alone',
    ...faults,
  ];
}
