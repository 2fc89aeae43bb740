import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';

/** Decodes a CSV file into text with line ends of `\n`, and computes its digest. */
export class CsvBytes {
  /** SHA-256 of the file, once it has been read to its end. */
  digest = '';

  /**
   * Decodes UTF-8, and UTF-16 in either byte order, which spreadsheets write. Invalid bytes become U+FFFD, so
   * that the affected row can be reported.
   */
  stream(): Transform {
    const hash = createHash('sha256');
    let decoder: InstanceType<typeof TextDecoder> | undefined;
    let held = '';
    const lines = (text: string, isLast: boolean): string => {
      const whole = held + text;
      // A CR at the very end may be the first half of a line end.
      held = !isLast && whole.endsWith('\r') ? '\r' : '';
      return whole.slice(0, whole.length - held.length).replace(/\r\n?/g, '\n');
    };
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        hash.update(chunk);
        decoder ??= new TextDecoder(encodingOf(chunk));
        done(null, lines(decoder.decode(chunk, { stream: true }), false));
      },
      flush: (done) => {
        this.digest = hash.digest('base64url');
        done(null, lines(decoder?.decode() ?? '', true));
      },
    });
  }
}

/** The encoding by the byte order mark, or by the zero byte of a header's first letter in UTF-16. */
export function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const [first = 1, second = 1] = bytes;
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be';
  return 'utf-8';
}
