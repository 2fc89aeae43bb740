import type { Configuration, DeviceCode, KoaContextWithOIDC } from 'oidc-provider';
import type { IncomingMessage } from 'node:http';
import { isoTime, type Clock } from '../../core/clock.js';
import type { Database } from '../../store/sql/database.js';
import { agents, users } from '../../store/tables/identity.js';
import { deviceInfoOf, type DeviceInfo } from '../library/device-codes.js';
import { agentIdOf, leaveNoSession } from '../library/library-internals.js';
import { errors } from '../library/oidc-provider.js';
import { userAgentOf } from '../middleware/recording.js';
import { expiredPage } from '../pages/dead-end-page.js';
import {
  connectedPage,
  nothingAllowedPage,
  userCodePage,
  verifyPage,
  type KnownAgent,
} from '../pages/device-pages.js';
import { pageHeaders, pageText, type Page } from '../pages/page.js';
import { typedCodeOf } from './user-codes.js';

interface DeviceFlowParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly addressOf: (request: IncomingMessage) => string;
}

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** 34 bits. Guessing is held up: see `UserCodes`. */
const mask = '****-****';

function show(ctx: KoaContextWithOIDC, page: Page): void {
  ctx.status = page.status;
  ctx.set(pageHeaders(page));
  ctx.body = pageText(page);
}

const normalized = (typed: string): string => typed.toUpperCase().replaceAll(/\W/g, '');
const withHyphen = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`;

/** The fault of a code that a person typed, by the name of the library's error. */
const faults: Readonly<Record<string, string>> = {
  NoCodeError: 'Enter the code that the device shows.',
  NotFoundError:
    'There is no request with this code. Codes are good for ten minutes: look at the device again.',
  ExpiredError: 'This code has expired. Begin again on the device.',
  AlreadyUsedError: 'This code was used already. Begin again on the device.',
};

/** The pages of the device flow (RFC 8628 section 3.3): the person types the code, and sees who asks from where. */
export function deviceFlow({ database, clock, addressOf }: DeviceFlowParts): DeviceFlow {
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
    const program = client.clientName ?? client.clientId;
    const shown = { secret: secretOf(ctx), userCode: withHyphen(userCode), program, agent, device };
    show(ctx, verifyPage({ ...shown, clientId: client.clientId }));
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
        if (fault !== undefined) show(ctx, userCodePage({ secret, fault }));
        else show(ctx, wasTold(ctx, error) ? nothingAllowedPage : expiredPage);
        return;
      }
      const code = await ctx.oidc.provider.DeviceCode.findByUserCode(normalized(typed ?? ''));
      if (code === undefined) {
        show(ctx, userCodePage({ secret, fault: faults.NotFoundError }));
        return;
      }
      ctx.oidc.entity('DeviceCode', code);
      if (code.error !== undefined || code.accountId !== undefined || code.inFlight === true)
        show(ctx, userCodePage({ secret, fault: faults.AlreadyUsedError }));
      else await verify(ctx, code, normalized(typed ?? ''));
    },
    userCodeConfirmSource: (ctx) => {
      const { DeviceCode: code } = ctx.oidc.entities;
      const { user_code: typed } = ctx.oidc.params ?? {};
      return code === undefined ? undefined : verify(ctx, code, normalized(String(typed)));
    },
    successSource: (ctx) => {
      show(ctx, connectedPage);
    },
  };
}

/** Whether the device gets this error as its answer. */
const wasTold = (ctx: KoaContextWithOIDC, error: Error): boolean =>
  error.constructor.name === 'AbortedError' ||
  (ctx.oidc.route === 'device_resume' && !(error instanceof errors.SessionNotFound));

/** Proves that a form comes from this browser's own page. */
const secretOf = ({ oidc: { session } }: KoaContextWithOIDC): string => session?.state?.secret as string;
