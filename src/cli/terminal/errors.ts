import { ConfigError } from '../../config.js';
import { CommandError } from '../../core/command-error.js';
import { BehalfError } from '../../core/errors.js';

/** EX_CONFIG of sysexits(3): a supervisor should not try again. */
const exitConfig = 78;

export interface Failure {
  readonly text: string;
  readonly exitCode: number;
}

/** An error as text for the terminal. A stack is shown only with `BEHALF_LOG_LEVEL=debug`. */
export function failureOf(error: unknown, debug: boolean): Failure {
  if (error instanceof ConfigError) return { text: error.message, exitCode: exitConfig };
  if (error instanceof CommandError) return { text: error.message, exitCode: 1 };
  if (error instanceof BehalfError) {
    const { hint } = error.details;
    return { text: hint === undefined ? error.message : `${error.message} ${hint}`, exitCode: 1 };
  }
  if (!(error instanceof Error)) return { text: String(error), exitCode: 1 };
  if ((error as NodeJS.ErrnoException).syscall === 'listen')
    return { text: cannotListen(error), exitCode: 1 };
  const more = 'Set BEHALF_LOG_LEVEL=debug to see where.';
  return { text: debug ? (error.stack ?? error.message) : `${error.message}\n${more}`, exitCode: 1 };
}

function cannotListen(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  const at = `${error.address ?? 'HOST'}:${String(error.port ?? 'PORT')}`;
  return error.code === 'EADDRINUSE'
    ? `Something listens on ${at} already. End it, or set PORT to another.`
    : `Nobody may listen on ${at} here (${error.code ?? error.message}). Correct HOST and PORT.`;
}
