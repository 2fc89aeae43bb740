import { tooLarge, type BehalfError } from '../../core/errors.js';

/** The error where a serialised answer is longer than `bytesMax`. */
export const sizeFault = (written: string | Buffer, bytesMax: number): BehalfError | undefined =>
  // Counting bytes is slow, so only a text that may be too long is counted.
  written.length > bytesMax ||
  (typeof written === 'string' && written.length * 3 > bytesMax && Buffer.byteLength(written) > bytesMax)
    ? tooLarge(bytesMax)
    : undefined;
