import { destination, pino, stdTimeFunctions, type Logger as PinoLogger } from 'pino';

export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

/** Structured lines on standard error: standard output belongs to the commands. */
export const makeLogger = (level: string): Logger =>
  pino({ level, base: null, timestamp: stdTimeFunctions.isoTime }, destination({ fd: 2, sync: true }));
