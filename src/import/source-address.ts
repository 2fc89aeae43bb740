import { InvalidArgumentError } from 'commander';

const page = '{page}';

/** Parses the option with the web address of the imported pages. */
export function baseUrlOf(text: string): string {
  const filled = text.replaceAll(page, 'page');
  const url = URL.canParse(filled) ? new URL(filled) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username + url.password !== '')
    throw new InvalidArgumentError('Write it as https://handbook.example.com/.');
  if (!text.includes(page) && url.search + url.hash !== '')
    throw new InvalidArgumentError(`Say with ${page} where a page’s path stands in it.`);
  return text;
}

/**
 * The address of the page at a path: the path is appended to the base, or replaces `{page}` without its
 * `.md`.
 */
export function addressOf(base: string, path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  if (base.includes(page)) return base.replaceAll(page, () => encoded.replace(/\.(?:md|markdown)$/i, ''));
  return `${base.replace(/\/$/, '')}/${encoded}`;
}
