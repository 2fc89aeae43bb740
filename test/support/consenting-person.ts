import type { Browser, Page } from 'playwright-core';
import { launchChromium } from './chromium.js';
import { password } from './passwords.js';

type Work = (page: Page) => Promise<unknown>;

/** A person with a Chromium, to whom programs give addresses. */
export class ConsentingPerson {
  private constructor(private readonly browser: Browser) {}

  /** The user name of the person; their password is that of the tests. */
  username = '';

  static async start(): Promise<ConsentingPerson> {
    return new ConsentingPerson(await launchChromium());
  }

  stop(): Promise<void> {
    return this.browser.close();
  }

  /** Opens an address with cookies of no earlier visit. */
  async visit(url: URL, work: Work): Promise<void> {
    const context = await this.browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    await page.goto(url.href);
    await work(page);
    await context.close();
  }

  /** Signs in where nothing is asked after that. */
  async signIn(url: URL): Promise<void> {
    await this.visit(url, async (page) => {
      await this.fillIn(page);
      await page.getByLabel('Password').waitFor({ state: 'detached' });
    });
  }

  private async fillIn(page: Page): Promise<void> {
    await page.getByLabel('User name').fill(this.username);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }

  /** Signs in, looks at the consent page, and hands over the task. */
  async consent(url: URL, task: string, look?: Work): Promise<void> {
    await this.visit(url, async (page) => {
      await this.fillIn(page);
      await page.getByRole('heading', { level: 1, name: /work for you\?/ }).waitFor();
      await look?.(page);
      await page.locator('#purpose').fill('Answer the letter');
      await page.locator('#task').fill(task);
      const allow = page.getByRole('button', { name: 'Allow', exact: true });
      await allow.click();
      await allow.waitFor({ state: 'detached' });
    });
  }
}
