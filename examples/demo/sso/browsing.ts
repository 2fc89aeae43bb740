import { Browser, titleOf, type Shown } from '../browser.js';

export const providerName = 'company';

/** From the sign-in page here to the company's page and back, without a password here. */
export async function signInWithCompany(
  browser: Browser,
  issuer: string,
  server: string,
  url: string,
): Promise<{ readonly end: Shown; readonly pages: readonly string[] }> {
  const signIn = await browser.open(url);
  const [, link] = new RegExp(`href="([^"]*\\?provider=${providerName})"`).exec(signIn.html) ?? [];
  if (link === undefined) throw new Error(`the page “${titleOf(signIn)}” has no button of the company`);
  const sent = await browser.open(new URL(link, server).href);
  const theirs = new Browser(issuer);
  const asked = await theirs.open(sent.url);
  const returned = await theirs.submit(asked, {});
  const end = await browser.open(returned.url);
  return { end, pages: [signIn, asked].map((shown) => titleOf(shown).replace(/ – Behalf$/, '')) };
}

/** The boxes of a page that are ticked: their values, by name. */
export function ticked({ html }: Shown): Record<string, string[]> {
  const boxes: Record<string, string[]> = {};
  for (const [tag] of html.matchAll(/<input[^>]*type="checkbox"[^>]*>/g)) {
    if (!/\schecked\s/.test(tag)) continue;
    const name = /\sname="([^"]*)"/.exec(tag)?.[1] ?? '';
    (boxes[name] ??= []).push(/\svalue="([^"]*)"/.exec(tag)?.[1] ?? '');
  }
  return boxes;
}
