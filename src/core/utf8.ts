import { isUtf8 } from 'node:buffer';

/** The headers that describe a body. */
interface BodyHeaders {
  readonly 'content-type'?: string | undefined;
  readonly 'content-encoding'?: string | undefined;
}

/** Why a body is refused with `415`. Undefined for an uncompressed UTF-8 body of this media type. */
export function typeFault(headers: BodyHeaders, mediaType: string): string | undefined {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers;
  if (encoding.trim().toLowerCase() !== 'identity')
    return 'The body is compressed. Send it as it is, without Content-Encoding.';
  const [essence = '', ...parameters] = type.split(';').map((part) => part.trim().toLowerCase());
  if (essence !== mediaType) return `Send the body as ${mediaType}.`;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  return charset === undefined || /^"?utf-?8"?$/.test(charset)
    ? undefined
    : 'Send the body in UTF-8, and say no other charset.';
}

/**
 * UTF-8 as text, without its byte order mark. Undefined where the bytes are not UTF-8 (RFC 3629 section 3).
 */
export function textOf(bytes: Buffer): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/**
 * Whether an encoded query or form decodes to valid UTF-8. Decoders replace invalid bytes with U+FFFD, so
 * this is checked before.
 *
 * @param text one character per octet; escapes such as `%C3` are still encoded
 */
export function isUtf8Form(text: string): boolean {
  if (!/%[89a-f]|[^\0-\x7f]/i.test(text)) return true;
  const octets = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return isUtf8(Buffer.from(octets, 'latin1'));
}

/** Whether a request's target is ASCII (RFC 3986 section 2) and its escapes are valid UTF-8. */
export const isUtf8Target = (url: string): boolean => !/[^\0-\x7f]/.test(url) && isUtf8Form(url);
