import type { Configuration, DeviceCode, KoaContextWithOIDC } from 'oidc-provider';
import type { IncomingMessage } from 'node:http';
import { isoTime, type Clock } from '../../core/clock.js';
import { isId } from '../../core/ids.js';
import type { Database } from '../../store/sql/database.js';
import { agents, users } from '../../store/tables/identity.js';
import { deviceInfoOf, type DeviceInfo } from '../library/device-codes.js';
import { agentIdOf, leaveNoSession } from '../library/library-internals.js';
import { errors } from '../library/oidc-provider.js';
import { userAgentOf } from '../middleware/recording.js';
import { expiredPage } from '../pages/dead-end-page.js';
import {
  agentGoesOnPage,
  connectedPage,
  namedRequestPage,
  noSuchRequestPage,
  nothingAllowedPage,
  userCodePage,
  verifyPage,
  type KnownAgent,
} from '../pages/device-pages.js';
import { pageHeaders, pageText, type Page } from '../pages/page.js';
import { normalizedCode, typedCodeOf } from './user-codes.js';

interface DeviceFlowParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly addressOf: (request: IncomingMessage) => string;
  /** Comes with each code that has its answer. */
  readonly decided: (ctx: KoaContextWithOIDC, code: DeviceCode) => Promise<void>;
}

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** 34 bits. Guessing is held up: see `UserCodes`. */
const mask = '****-****';

function show(ctx: KoaContextWithOIDC, page: Page): void {
  ctx.status = page.status;
  ctx.set(pageHeaders(page));
  ctx.body = pageText(page);
}

const withHyphen = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`;

/** The fault of a code that a person typed, by the name of the library's error. */
const faults: Readonly<Record<string, string>> = {
  NoCodeError: 'Enter the code that the device shows.',
  NotFoundError:
    'There is no request with this code. Codes are good for ten minutes: look at the device again.',
  ExpiredError: 'This code has expired. Begin again on the device.',
  AlreadyUsedError: 'This code was used already. Begin again on the device.',
};

/**
 * The pages of the device flow (RFC 8628 section 3.3): the person types the code, and sees who asks from where. They also begin
 * the decision on a request that names its person, which has an id in place of a code that people type.
 */
export function deviceFlow({ database, clock, addressOf, decided }: DeviceFlowParts): DeviceFlow {
  const agentOf = async (id: string | undefined): Promise<KnownAgent | undefined> => {
    const agent = id === undefined ? undefined : await database.read.byId(agents, id);
    if (agent === undefined) return undefined;
    const { name, displayName, businessTask, createdAt, ownerId } = agent;
    const owner = await database.read.byId(users, ownerId);
    return { name, displayName, businessTask, createdAt, ownerName: owner?.displayName ?? '' };
  };

  const verify = async (ctx: KoaContextWithOIDC, code: DeviceCode, userCode: string): Promise<void> => {
    const client = await ctx.oidc.provider.Client.find(code.clientId ?? '');
    const agent = await agentOf(agentIdOf(client));
    if (client === undefined) {
      show(ctx, expiredPage);
      return;
    }
    const device = deviceInfoOf(code.deviceInfo);
    if (device.backchannel !== undefined) {
      show(ctx, namedRequestPage({ secret: secretOf(ctx), request: userCode }));
      return;
    }
    const program = client.clientName ?? client.clientId;
    const shown = { secret: secretOf(ctx), userCode: withHyphen(userCode), program, agent, device };
    show(ctx, verifyPage({ ...shown, clientId: client.clientId }));
  };

  const tell = async (ctx: KoaContextWithOIDC): Promise<void> => {
    const code = await codeOf(ctx);
    if (code?.error !== undefined || code?.accountId !== undefined) await decided(ctx, code);
  };

  return {
    enabled: true,
    charset: 'base-20',
    mask,
    deviceInfo: (ctx) => {
      const userAgent = userAgentOf(ctx.req);
      const info: DeviceInfo = { address: addressOf(ctx.req), at: isoTime(clock.now()) };
      return { ...info, ...(userAgent === undefined ? {} : { userAgent }) };
    },
    userCodeInputSource: async (ctx, _form, _out, error) => {
      const secret = secretOf(ctx);
      const typed = typedCodeOf(ctx);
      if (error === undefined && typed === undefined) {
        show(ctx, userCodePage({ secret }));
        return;
      }
      if (error !== undefined) {
        leaveNoSession(ctx);
        if (faults[error.constructor.name] === undefined) await tell(ctx);
        show(ctx, faultPage(ctx, error, secret));
        return;
      }
      const given = normalizedCode(typed ?? '');
      const code = await ctx.oidc.provider.DeviceCode.findByUserCode(given);
      if (code === undefined || code.isExpired) {
        show(ctx, codeFaultPage(given, faults.NotFoundError, secret));
        return;
      }
      ctx.oidc.entity('DeviceCode', code);
      if (code.error !== undefined || code.accountId !== undefined || code.inFlight === true)
        show(ctx, codeFaultPage(given, faults.AlreadyUsedError, secret));
      else await verify(ctx, code, given);
    },
    userCodeConfirmSource: (ctx) => {
      const { DeviceCode: code } = ctx.oidc.entities;
      const { user_code: typed } = ctx.oidc.params ?? {};
      return code === undefined ? undefined : verify(ctx, code, normalizedCode(String(typed)));
    },
    successSource: async (ctx) => {
      await tell(ctx);
      const { backchannel } = deviceInfoOf(ctx.oidc.entities.DeviceCode?.deviceInfo);
      show(ctx, backchannel === undefined ? connectedPage : agentGoesOnPage);
    },
  };
}

/** The page for an error. Nobody types the id of a request that names its person. */
function faultPage(ctx: KoaContextWithOIDC, error: Error, secret: string): Page {
  const fault = faults[error.constructor.name];
  if (fault === undefined) return wasTold(ctx, error) ? nothingAllowedPage : expiredPage;
  const { user_code: typed } = ctx.oidc.params ?? {};
  return codeFaultPage(normalizedCode(typeof typed === 'string' ? typed : ''), fault, secret);
}

const codeFaultPage = (code: string, fault: string | undefined, secret: string): Page =>
  isId(code) ? noSuchRequestPage : userCodePage({ secret, fault });

/** The code that this request is about. */
async function codeOf({ oidc }: KoaContextWithOIDC): Promise<DeviceCode | undefined> {
  const { DeviceCode: code, Interaction: interaction } = oidc.entities;
  if (code !== undefined || interaction?.deviceCode === undefined) return code;
  return oidc.provider.DeviceCode.find(interaction.deviceCode, { ignoreExpiration: true });
}

/** Whether the device gets this error as its answer. */
const wasTold = (ctx: KoaContextWithOIDC, error: Error): boolean =>
  error.constructor.name === 'AbortedError' ||
  (ctx.oidc.route === 'device_resume' && !(error instanceof errors.SessionNotFound));

/** Proves that a form comes from this browser's own page. */
const secretOf = ({ oidc: { session } }: KoaContextWithOIDC): string => session?.state?.secret as string;
