import { Browser, CodeFlow, type Shown } from '../parts/oauth/browser.js';
import type { CompanyProvider } from './company-provider.js';

/** Chooses the button of the provider on a sign-in page, signs in there, and gives the redirect URI with the answer. */
export async function answerOf(
  provider: string,
  company: CompanyProvider,
  browser: Browser,
  page: Shown,
): Promise<URL> {
  const href = new RegExp(`href="([^"]*\\?provider=${provider})"`).exec(page.html)?.[1];
  if (href === undefined) throw new Error(`There is no button for ${provider}: ${page.html}`);
  const sent = await browser.open(new URL(href, browser.origin).href);
  return new URL((await new Browser(company.issuer).open(sent.url)).url);
}

/** A person's way from the sign-in page to the provider, up to the answer that their browser would bring back. */
export class ProviderJourney {
  private constructor(
    readonly flow: CodeFlow,
    /** The redirect URI with the provider's answer. */
    readonly answer: URL,
  ) {}

  /** Chooses the button of the provider and signs in there. */
  static async begin(
    issuer: string,
    provider: string,
    company: CompanyProvider,
    browser?: Browser,
  ): Promise<ProviderJourney> {
    const flow = await CodeFlow.start({ issuer });
    const ours = browser ?? flow.browser;
    const page = await ours.open(flow.url.href);
    return new ProviderJourney(flow, await answerOf(provider, company, ours, page));
  }

  /** Brings the answer back, changed or not. */
  arrive(change: (url: URL) => void = () => undefined, browser = this.flow.browser): Promise<Shown> {
    const url = new URL(this.answer);
    change(url);
    return browser.open(url.href);
  }

  /** Where the redirect URI sends a browser that stays there. */
  async passedOn(): Promise<URL> {
    const response = await fetch(this.answer, { redirect: 'manual' });
    return new URL(response.headers.get('location') ?? '', this.answer);
  }
}
