import { tooLarge, type BehalfError } from '../../core/errors.js';

/** What is wrong with the length of an answer as it is written. */
export const sizeFault = (written: string | Buffer, bytesMax: number): BehalfError | undefined =>
  // Only a text that may be too long is counted byte by byte.
  written.length > bytesMax ||
  (typeof written === 'string' && written.length * 3 > bytesMax && Buffer.byteLength(written) > bytesMax)
    ? tooLarge(bytesMax)
    : undefined;
