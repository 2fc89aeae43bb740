import { isUtf8 } from 'node:buffer';

/** What a body says of itself in its headers. */
export interface BodyHeaders {
  readonly 'content-type'?: string | undefined;
  readonly 'content-encoding'?: string | undefined;
}

/** Why a body is not taken: for `415`. Undefined for one of this media type, in UTF-8 and as it is. */
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

/** The text of UTF-8 without its byte order mark; undefined where the bytes are none (RFC 3629 section 3). */
export function textOf(bytes: Buffer): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/**
 * Whether a query or a form, as it was sent, stands for UTF-8. Whoever decodes it puts U+FFFD where it does not.
 *
 * @param text Octets as characters, those of an escape such as `%C3` not decoded yet
 */
export function isUtf8Form(text: string): boolean {
  if (!/%[89a-f]|[^\0-\x7f]/i.test(text)) return true;
  const octets = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return isUtf8(Buffer.from(octets, 'latin1'));
}

/** Whether a request's target is of ASCII (RFC 3986 section 2), with escapes that stand for UTF-8. */
export const isUtf8Target = (url: string): boolean => !/[^\0-\x7f]/.test(url) && isUtf8Form(url);
