/** An error in the form in which it is logged. */
interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly at: readonly string[];
  readonly cause?: LoggedError;
}

const framesMax = 12;
const causesMax = 5;
const textMax = 500;

/** ER_BAD_DB_ERROR, ER_BAD_FIELD_ERROR, ER_NO_SUCH_TABLE: they quote only names of our own. */
const quotesNames = new Set<unknown>([1049, 1054, 1146]);

/**
 * The part of an error that an operator needs, without any caller's data. Drivers and parsers quote faulty
 * values in their messages, and drivers attach whole statements to their errors; neither is logged.
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

/** An unclosed quote runs to the end, because the text may have been truncated. */
const withoutQuoted = (text: string): string => text.replace(/'[^']*('|$)|"[^"]*("|$)/g, '‹…›');

/** The stack begins with the message, which may be long and is logged separately. */
const framesOf = ({ stack = '' }: Error): string[] =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, framesMax)
    .map((line) => line.trim());
