import { destination, pino, stdTimeFunctions, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { asLogged } from './logged-error.js';

export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled'>;

/** Writes structured lines to standard error. Standard output belongs to the commands. */
export const makeLogger = (
  level: string,
  to: DestinationStream = destination({ fd: 2, sync: true }),
): Logger =>
  pino({ level, base: null, timestamp: stdTimeFunctions.isoTime, serializers: { err: asLogged } }, to);
