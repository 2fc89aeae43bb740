export type DatabaseUrl =
  { readonly dialect: 'sqlite'; readonly path: string } | { readonly dialect: 'mysql'; readonly url: string };

/** `sqlite:PATH` or `mysql://user:password@host:port/database`; undefined for anything else. */
export function parseDatabaseUrl(text: string): DatabaseUrl | undefined {
  if (text.startsWith('sqlite:') && text.length > 'sqlite:'.length) {
    return { dialect: 'sqlite', path: text.slice('sqlite:'.length) };
  }
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'mysql:' && url.hostname !== '' && url.pathname.length > 1
    ? { dialect: 'mysql', url: text }
    : undefined;
}
