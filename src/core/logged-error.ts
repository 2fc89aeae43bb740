/** An error as the log tells it. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly at: readonly string[];
  readonly cause?: LoggedError;
}

const framesMax = 12;
const causesMax = 5;
const textMax = 500;

/** ER_BAD_DB_ERROR, ER_BAD_FIELD_ERROR, ER_NO_SUCH_TABLE: what they quote is a name of our own. */
const quotesNames = new Set<unknown>([1049, 1054, 1146]);

/**
 * What an operator needs of an error, and nothing of whose data it was about. Drivers and parsers quote the
 * values that they found fault with, and drivers hang whole statements on their errors: neither is logged.
 */
export function asLogged(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: 'not an error', at: [] };
  const { code, errno, driverError } = error as Error & {
    code?: unknown;
    errno?: unknown;
    driverError?: { readonly errno?: unknown };
  };
  const keepsQuotes = quotesNames.has(errno ?? driverError?.errno);
  const message = error.message.slice(0, textMax);
  return {
    type: error.name,
    message: keepsQuotes ? message : withoutQuoted(message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    at: framesOf(error),
    ...(error.cause === undefined || depth >= causesMax ? {} : { cause: asLogged(error.cause, depth + 1) }),
  };
}

/** A quote that never ends takes the rest with it: the text may have been cut. */
const withoutQuoted = (text: string): string => text.replace(/'[^']*('|$)|"[^"]*("|$)/g, '‹…›');

/** The stack begins with the message, which may be long and is told already. */
const framesOf = ({ stack = '' }: Error): string[] =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, framesMax)
    .map((line) => line.trim());
