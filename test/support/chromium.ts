import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';

const isRunnable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The Chromium of this machine; undefined where there is none. */
export const chromiumPath = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find(isRunnable);

/** Chromium's sandbox does not work for root. */
const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath ?? 'chromium', args: asRoot });

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = join(import.meta.dirname, '../../docs/pictures');

/** A tab in which a person uses the keyboard alone. */
export class Tab {
  private constructor(
    readonly page: Page,
    private readonly setScript: (isOn: boolean) => Promise<unknown>,
    private readonly hasScript: boolean,
  ) {}

  /** Without script by way of the developer tools, so that it can be on while axe looks. */
  static async open(
    browser: Browser,
    { javaScriptEnabled, ...options }: BrowserContextOptions,
  ): Promise<Tab> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const devTools = await context.newCDPSession(page);
    const setScript = (isOn: boolean) =>
      devTools.send('Emulation.setScriptExecutionDisabled', { value: !isOn });
    await setScript(javaScriptEnabled !== false);
    return new Tab(page, setScript, javaScriptEnabled !== false);
  }

  close(): Promise<void> {
    return this.page.context().close();
  }

  /** Goes on with Tab until this is in focus; throws where it never is, and where its focus cannot be seen. */
  async reach(what: Locator): Promise<void> {
    for (let pressed = 0; pressed < 120; pressed += 1) {
      await this.page.keyboard.press('Tab');
      if (!(await what.evaluate((element) => element === element.ownerDocument.activeElement))) continue;
      const outline = await this.page.evaluate<string>(
        'getComputedStyle(document.activeElement).outlineStyle',
      );
      if (outline === 'none') throw new Error(`Its focus cannot be seen: ${String(what)}`);
      return;
    }
    throw new Error(`The keyboard never comes to ${String(what)}`);
  }

  async press(what: Locator, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
    await this.reach(what);
    await this.page.keyboard.press(key);
  }

  async type(what: Locator, text: string): Promise<void> {
    await this.reach(what);
    await this.page.keyboard.type(text);
  }

  /** Presses a link or button that leads to a page with this heading. */
  async go(what: Locator, heading: string | RegExp): Promise<void> {
    await this.press(what);
    await this.page.getByRole('heading', { level: 1, name: heading }).waitFor();
  }

  /**
   * What axe finds serious or critical, and whether the page is wider than its window, in light and in dark. axe itself
   * needs script, so it is on only while axe looks.
   */
  async faults(name: string): Promise<readonly string[]> {
    const { page } = this;
    const faults: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await this.setScript(true);
      const found = await page.evaluate<string[]>(
        `${axe}; axe.run().then(({ violations }) => violations
          .filter(({ impact }) => impact === 'serious' || impact === 'critical')
          .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ' ' + html)))`,
      );
      await this.setScript(this.hasScript);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      const window = page.viewportSize()?.width ?? 0;
      if (width > window) found.push(`is ${String(width)} pixels wide in a window of ${String(window)}`);
      faults.push(...found.map((fault) => `${name}, ${colorScheme}: ${fault}`));
    }
    return faults;
  }

  /** A picture for the docs, where one is asked for: `BEHALF_TEST_PICTURES=1`. */
  async keepPicture(name: string, colorScheme: 'light' | 'dark'): Promise<void> {
    if (process.env.BEHALF_TEST_PICTURES === undefined) return;
    await this.page.emulateMedia({ colorScheme });
    mkdirSync(pictures, { recursive: true });
    await this.page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  }
}
