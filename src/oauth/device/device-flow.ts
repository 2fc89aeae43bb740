import type { Configuration, DeviceCode, KoaContextWithOIDC } from 'oidc-provider';
import { normalize } from 'oidc-provider/lib/helpers/user_codes.js';
import type { IncomingMessage } from 'node:http';
import { isoTime, type Clock } from '../../core/clock.js';
import { isId } from '../../core/ids.js';
import type { Logger } from '../../core/logger.js';
import type { Database } from '../../store/sql/database.js';
import { agents, users } from '../../store/tables/identity.js';
import { deviceInfoOf, type DeviceInfo } from '../library/device-codes.js';
import { agentIdOf, leaveNoSession } from '../library/library-internals.js';
import { userAgentOf } from '../middleware/recording.js';
import { expiredPage } from '../pages/dead-end-page.js';
import {
  agentGoesOnPage,
  connectedPage,
  namedRequestPage,
  noSuchRequestPage,
  nothingAllowedPage,
  undecidedPage,
  userCodePage,
  verifyPage,
  type KnownAgent,
} from '../pages/device-pages.js';
import { pageHeaders, pageText, type Page } from '../pages/page.js';
import { noteUnknownCode, typedCodeOf } from './user-codes.js';

interface DeviceFlowParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
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
export function deviceFlow({ database, clock, logger, addressOf, decided }: DeviceFlowParts): DeviceFlow {
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

  /** The answer stands, so a failure here is no error. */
  const tell = async (ctx: KoaContextWithOIDC, code: DeviceCode | undefined): Promise<void> => {
    try {
      if (code?.error !== undefined || code?.accountId !== undefined) await decided(ctx, code);
    } catch (error) {
      logger.error({ err: error }, 'a decision was kept, but its request was not cleaned up');
    }
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
        const fault = faults[error.constructor.name];
        if (fault !== undefined) {
          if (error.constructor.name !== 'NoCodeError') noteUnknownCode(ctx);
          const { user_code: entered } = ctx.oidc.params ?? {};
          show(ctx, codeFaultPage(normalize(typeof entered === 'string' ? entered : ''), fault, secret));
          return;
        }
        const code = await storedCodeOf(ctx);
        await tell(ctx, code);
        show(ctx, pageWithout(code));
        return;
      }
      const given = normalize(typed ?? '');
      const code = await ctx.oidc.provider.DeviceCode.findByUserCode(given);
      if (code === undefined || code.isExpired) {
        noteUnknownCode(ctx);
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
      return code === undefined ? undefined : verify(ctx, code, normalize(String(typed)));
    },
    successSource: async (ctx) => {
      const { DeviceCode: code } = ctx.oidc.entities;
      await tell(ctx, code);
      const { backchannel } = deviceInfoOf(code?.deviceInfo);
      show(ctx, backchannel === undefined ? connectedPage : agentGoesOnPage);
    },
  };
}

/** Nobody types the id of a request that names its person. */
const codeFaultPage = (code: string, fault: string | undefined, secret: string): Page =>
  isId(code) ? noSuchRequestPage : userCodePage({ secret, fault });

/** The page for an error that is no fault of the typed code. */
function pageWithout(code: DeviceCode | undefined): Page {
  if (code === undefined) return expiredPage;
  if (code.error !== undefined) return nothingAllowedPage;
  if (deviceInfoOf(code.deviceInfo).backchannel === undefined) return expiredPage;
  return code.accountId === undefined ? undecidedPage : noSuchRequestPage;
}

/** The code that this request is about, as it is stored: the library's own may have an answer that was not kept. */
async function storedCodeOf({ oidc }: KoaContextWithOIDC): Promise<DeviceCode | undefined> {
  const { DeviceCode: code, Interaction: interaction } = oidc.entities;
  const id = code?.jti ?? interaction?.deviceCode;
  return id === undefined ? undefined : oidc.provider.DeviceCode.find(id, { ignoreExpiration: true });
}

/** Proves that a form comes from this browser's own page. */
const secretOf = ({ oidc: { session } }: KoaContextWithOIDC): string => session?.state?.secret as string;
