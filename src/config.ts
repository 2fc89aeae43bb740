import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { capacitySettings } from './core/capacity-settings.js';
import { certificateFaults, certificateSettings } from './core/certificate-settings.js';
import { DatabaseUrlFault, parseDatabaseUrl, type DatabaseUrl } from './core/database-url.js';
import { isLoopbackHost } from './core/loopback.js';
import { flag, integer } from './core/setting-kinds.js';
import { inTheClear, isUrlHost, isUrlPlace, isWebOrigin, protocolOf } from './core/web-origins.js';

function databaseUrlFault(text: string): string | undefined {
  try {
    parseDatabaseUrl(text);
    return undefined;
  } catch (error) {
    if (error instanceof DatabaseUrlFault) return error.message;
    throw error;
  }
}

/** Every setting with its default and its purpose. The reference in the docs is generated from this. */
export const settings = {
  DATABASE_URL: z
    .string()
    .default('sqlite:data/behalf.sqlite')
    .superRefine((text, context) => {
      const fault = databaseUrlFault(text);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    })
    .describe(
      'Where the data is: `sqlite:PATH` or `mysql://user:password@host:port/database` (MySQL 8, MariaDB 10.11 or later). For TLS add `?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE`, see docs/operations.md; an IPv6 address stands in brackets.',
    ),
  HOST: z.string().min(1).default('127.0.0.1').describe('The address to listen on.'),
  PORT: integer(0, 65_535).default(4000).describe('The port to listen on; 0 takes a free one.'),
  BEHALF_PUBLIC_URL: z
    .string()
    .refine(
      (text) => URL.canParse(text) && new URL(text).origin === text,
      'must be an origin, without path or slash',
    )
    .optional()
    .describe(
      'The origin under which callers reach the server; also the OAuth issuer. Default: `http://HOST:PORT`.',
    ),
  BEHALF_ALLOW_HTTP: flag
    .default(false)
    .describe(
      'Allows plain http beyond loopback, for the public URL, the one for mutual TLS, identity providers, the keys of workloads and other resource servers: tokens travel in the clear.',
    ),
  BEHALF_PRIVATE_HOSTS: z
    .string()
    .transform((text) => text.split(',').map((host) => host.trim()))
    .pipe(z.array(z.string().refine(isUrlHost, 'must be hosts such as jobs.example.internal, without port')))
    .default([])
    .describe(
      'Hosts of the own network that the server may ask where an administrator or a client that one admitted chose the address, separated by commas: the keys of workloads and notification endpoints, for example. All other such addresses must be on the public internet. Documents of clients have `BEHALF_CLIENT_METADATA_HOSTS`. Plain http only to loopback hosts, or with `BEHALF_ALLOW_HTTP`. Default: none.',
    ),
  BEHALF_TRUSTED_PROXIES: integer(0, 10)
    .default(0)
    .describe(
      "How many proxies stand before the server and append to `X-Forwarded-For`, or to `Forwarded` where they drop `X-Forwarded-For`: the caller's address is the one that the first of them saw. 0 ignores both.",
    ),
  ...certificateSettings,
  BEHALF_ALLOWED_ORIGINS: z
    .string()
    .transform((text) => text.split(',').map((origin) => origin.trim()))
    .pipe(z.array(z.string().refine(isWebOrigin, 'must be origins such as https://app.example.com')))
    .default([])
    .describe(
      'Origins whose pages may ask this server from a browser (CORS), separated by commas: `/graphql`, its SDL, and the endpoints that issue and revoke tokens. Exact, and never with cookies. Metadata is open to all. Default: none.',
    ),
  BEHALF_COOKIE_KEYS: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.string().min(32, 'each key must have at least 32 characters')).min(1))
    .optional()
    .describe(
      'Secrets that sign the cookies of signing in and seal the cookies of the account pages, the cursors of lists and what clients are notified with, separated by commas; the first signs, all verify. Replicas need the same. Default: cookies have one made at each start, cursors one that is kept in the database.',
    ),
  BEHALF_SIGNING_KEY_SECRETS: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.string().min(32, 'each secret must have at least 32 characters')).min(1))
    .optional()
    .describe(
      'Secrets that encrypt the signing keys in the database, separated by commas; the first encrypts, all decrypt. Replicas need the same. With it, the first start makes a key, `/oauth/jwks` has its public part, and introspection is signed where it is asked for (RFC 9701). Default: the server keeps no key and signs nothing.',
    ),
  BEHALF_STATIC_SECRETS: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'Whether clients may prove who they are by a secret. `off` refuses client secrets at every endpoint, and to make new ones; `behalf agent secrets` says which agents and resource servers have one.',
    ),
  BEHALF_ACCESS_TOKEN_SECONDS: integer(10, 3600)
    .default(300)
    .describe('How long an access token is good for.'),
  BEHALF_SIGN_IN_SECONDS: integer(60, 2_592_000)
    .default(43_200)
    .describe('How long a sign-in lasts with its refresh tokens.'),
  BEHALF_RECENT_SIGN_IN_SECONDS: integer(0, 2_592_000)
    .default(0)
    .describe(
      'How long after signing in people may make changes of accounts, identity providers, roles, agents, clients, resource servers and passkeys. 0: as long as they are signed in.',
    ),
  BEHALF_PASSWORD_USERS: z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.string().min(1, 'must be user names with commas between them')))
    .optional()
    .describe(
      'The names of the users who may sign in with a password, separated by commas. Everybody else signs in with an identity provider. Default: everybody may.',
    ),
  BEHALF_EXPLORER: flag
    .optional()
    .describe(
      'Whether browsers get the explorer at `/graphql`, where signed-in people try out operations. Default: `true` with the demo company, else `false`.',
    ),
  BEHALF_CLIENT_METADATA_DOCUMENTS: flag
    .optional()
    .describe(
      'Whether the id of an OAuth client may be the address of a document about it, which the server reads. A new client waits until an administrator admits it. Default: `true` with the demo company, else `false`.',
    ),
  BEHALF_CLIENT_METADATA_HOSTS: z
    .string()
    .transform((text) => text.split(',').map((host) => host.trim()))
    .pipe(z.array(z.string().refine(isUrlPlace, 'must be hosts such as tools.example.internal:8443')))
    .transform((hosts) =>
      hosts.map((host) => (new URL(`https://${host}`).port === '' ? `${host}:443` : host)),
    )
    .default([])
    .describe(
      'Hosts of the own network whose documents about clients the server reads, separated by commas, each with its port where that is not 443. Any stranger can make the server ask them for any path. All other documents must be on the public internet, whatever `BEHALF_PRIVATE_HOSTS` says. Plain http only to loopback hosts, or with `BEHALF_ALLOW_HTTP`. Default: none.',
    ),
  BEHALF_CLIENT_REGISTRATION: flag
    .optional()
    .describe(
      'Whether OAuth clients may register themselves (RFC 7591). A new client waits until an administrator admits it. Default: `true` with the demo company, else `false`.',
    ),
  ...capacitySettings,
  BEHALF_METRICS_HOST: z
    .string()
    .min(1)
    .optional()
    .describe('The address of the listener of `BEHALF_METRICS_PORT`. Default: `127.0.0.1`.'),
  BEHALF_METRICS_PORT: integer(1, 65_535)
    .optional()
    .describe(
      'A listener of its own for `/metrics`, `/healthz` and `/readyz`. Without it `/metrics` is on `PORT`, for this machine alone, and only where the public URL is on loopback.',
    ),
  BEHALF_OTLP_URL: z
    .string()
    .refine((text) => /^https?:$/.test(protocolOf(text)), 'must be an http or https URL')
    .optional()
    .describe(
      'Where traces go: an OTLP/HTTP endpoint such as `http://127.0.0.1:4318/v1/traces`. Default: there are none.',
    ),
  BEHALF_PAGE_SIZE_MAX: integer(1, 10_000).default(1_000).describe('The largest page of a list.'),
  BEHALF_ROWS_PER_OPERATION_MAX: integer(100, 1_000_000)
    .default(20_000)
    .describe('How many rows one operation may touch.'),
  BEHALF_OPERATION_COST_MAX: integer(1_000, 100_000_000)
    .default(30_000)
    .describe(
      'How much one operation may do, in fields that it resolves, reckoned from its page sizes before it runs. With the default none holds up the server for 50 ms.',
    ),
  BEHALF_ANSWER_BYTES_MAX: integer(10_000, 1_000_000_000)
    .default(20_000_000)
    .describe('The largest answer of one operation, in bytes; a larger one is refused.'),
  BEHALF_EXECUTION: z
    .enum(['fitting', 'shielded'])
    .default('fitting')
    .describe(
      'When graphql-shield asks the rule map field by field. `fitting`: where README.md says so, since every rule is decided before an operation runs; `shielded`: for every field of every operation. The answers are the same; `shielded` takes more processor time.',
    ),
  BEHALF_SMALLEST_CELL: integer(2, 1_000)
    .default(5)
    .describe('Aggregates hide cells with fewer distinct customers than this.'),
  BEHALF_COMPANY: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A company folder: the types in its `schema/*.graphql` over tables of the same database are served beside the domains in `BEHALF_DOMAINS`.',
    ),
  BEHALF_DOMAINS: z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(['knowledge', 'business'])))
    .or(z.literal('none').transform(() => []))
    .optional()
    .describe(
      'The shipped domains that are served, with commas between them, or `none`. Default: `knowledge,business`; beside a company folder: `knowledge`.',
    ),
  BEHALF_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .default('info')
    .describe('How much is logged.'),
} as const;

const schema = z.object(settings);
type Settings = z.infer<typeof schema>;

type DomainName = 'knowledge' | 'business';

export interface Config extends Settings {
  /** The shipped domains that are served. */
  readonly domains: readonly DomainName[];
  /** `DATABASE_URL`, parsed. */
  readonly database: DatabaseUrl;
  readonly publicUrl: string;
  /** Whether only this machine can reach the server. Behind a proxy the public URL would be another one. */
  readonly isLocal: boolean;
  readonly cookieKeys: readonly string[];
  readonly explorer: boolean;
  readonly clientDocuments: boolean;
  readonly clientRegistration: boolean;
}

/** The bounds on the statements of a server. */
export const statementLimits = (
  config: Config,
): { seconds: number; waiting: number; lockSeconds: number } => ({
  seconds: config.BEHALF_STATEMENT_SECONDS,
  waiting: config.BEHALF_POOL_QUEUE_MAX,
  lockSeconds: config.BEHALF_OPERATION_SECONDS,
});

/** Lists all faults of the settings at once, never their values. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly string[]) {
    super(`The settings are not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

/** Reads and checks every setting. Throws `ConfigError` where settings are wrong, unknown or unsafe. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => value !== undefined && value !== '' && isOurs(name)),
  );
  const faults = Object.keys(given)
    .filter((name) => !(name in settings) && !name.startsWith('BEHALF_TEST_'))
    .map((name) => `${name} is not a setting of Behalf; see docs/settings.md`);
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    faults.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
    throw new ConfigError(faults);
  }
  const config = parsed.data;
  const publicUrl = config.BEHALF_PUBLIC_URL ?? defaultUrl(config);
  if (config.PORT === 0 && config.BEHALF_PUBLIC_URL === undefined) {
    faults.push('PORT: 0 takes a free port, so say BEHALF_PUBLIC_URL: it is the OAuth issuer');
  }
  if (config.BEHALF_METRICS_HOST !== undefined && config.BEHALF_METRICS_PORT === undefined) {
    faults.push('BEHALF_METRICS_HOST: say BEHALF_METRICS_PORT too, or leave both');
  }
  if (config.BEHALF_HEADERS_SECONDS > config.BEHALF_REQUEST_SECONDS) {
    faults.push('BEHALF_HEADERS_SECONDS: must not be more than BEHALF_REQUEST_SECONDS');
  }
  faults.push(...certificateFaults(config));
  faults.push(...unsafe(config, publicUrl));
  if (faults.length > 0) throw new ConfigError(faults);
  const cookieKeys = config.BEHALF_COOKIE_KEYS ?? [randomBytes(32).toString('hex')];
  const database = parseDatabaseUrl(config.DATABASE_URL);
  const usual: DomainName[] = config.BEHALF_COMPANY === undefined ? ['knowledge', 'business'] : ['knowledge'];
  const domains = config.BEHALF_DOMAINS ?? usual;
  const isLocal = isLoopbackHost(new URL(publicUrl).hostname);
  const explorer = config.BEHALF_EXPLORER ?? false;
  const clientDocuments = config.BEHALF_CLIENT_METADATA_DOCUMENTS ?? false;
  const clientRegistration = config.BEHALF_CLIENT_REGISTRATION ?? false;
  const by = { explorer, clientDocuments, clientRegistration };
  return { ...config, domains, database, publicUrl, isLocal, cookieKeys, ...by };
}

const isOurs = (name: string): boolean => name in settings || name.startsWith('BEHALF_');

/** An IPv6 address stands in brackets (RFC 3986 section 3.2.2). */
const defaultUrl = ({ HOST, PORT }: Settings): string =>
  `http://${isIPv6(HOST) ? `[${HOST}]` : HOST}:${String(PORT)}`;

const everyAddress = new Set(['0.0.0.0', '[::]']);

function unsafe(config: Settings, publicUrl: string): string[] {
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
  if (url === undefined) return ['HOST: must be a name or an address; or say BEHALF_PUBLIC_URL'];
  if (config.BEHALF_PUBLIC_URL === undefined && everyAddress.has(url.hostname)) {
    return [
      `HOST: ${config.HOST} is every address, so say BEHALF_PUBLIC_URL: the https origin under which callers reach the server (plain http would send tokens in the clear)`,
    ];
  }
  return inTheClear('BEHALF_PUBLIC_URL', url, config);
}
