import type { AppParts } from '../../src/app.js';
import { eq } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { passkeys, type PasskeyRow } from '../../src/store/tables/passkeys.js';
import { Browser, type Shown } from '../parts/oauth/browser.js';
import { withPassword } from './account.js';
import type { Employee } from './administration.js';
import { optionsOn, SoftwarePasskey, type Lies } from './authenticator.js';
import { freePort } from './free-port.js';
import { Office } from './office.js';
import { password } from './passwords.js';

const add = '/account/passkeys/add';

/** An office at a name for which browsers have passkeys, with people who use them. */
export class PasskeyOffice {
  private constructor(
    readonly office: Office,
    readonly origin: string,
  ) {}

  static async start(parts: AppParts = {}, env: Record<string, string> = {}): Promise<PasskeyOffice> {
    const port = String(await freePort());
    const origin = `http://localhost:${port}`;
    const office = await Office.start(parts, { PORT: port, BEHALF_PUBLIC_URL: origin, ...env });
    return new PasskeyOffice(office, origin);
  }

  passkey(): SoftwarePasskey {
    return new SoftwarePasskey(this.origin);
  }

  url(path: string): string {
    return `${this.origin}${path}`;
  }

  /** The sign-in page of the account, after the password. */
  async byPassword(
    who: Employee,
    browser = new Browser(this.origin),
  ): Promise<{ browser: Browser; page: Shown }> {
    const username = await withPassword(this.office, who);
    const form = await browser.open(this.url('/account/sign-in'));
    return { browser, page: await browser.submit(form, { username, password }) };
  }

  /** The page that asks for a passkey in place of a password. */
  async askedForPasskey(browser = new Browser(this.origin)): Promise<{ browser: Browser; page: Shown }> {
    const form = await browser.open(this.url('/account/sign-in'));
    return { browser, page: await browser.open(`${form.url}?passkey=`) };
  }

  async byPasskey(passkey: SoftwarePasskey, lies: Lies = {}): Promise<{ browser: Browser; page: Shown }> {
    const { browser, page } = await this.askedForPasskey();
    return { browser, page: await this.use(browser, page, passkey, lies) };
  }

  /** Answers the page that asks for a passkey. */
  use(browser: Browser, page: Shown, passkey: SoftwarePasskey, lies: Lies = {}): Promise<Shown> {
    return browser.submit(page, { action: 'passkey', passkey: passkey.get(optionsOn(page.html), lies) });
  }

  /** Adds a passkey on the account page. */
  async register(browser: Browser, passkey: SoftwarePasskey, lies: Lies = {}): Promise<Shown> {
    const page = await browser.open(this.url(add));
    return browser.submitTo(page, add, {
      name: 'Laptop',
      passkey: passkey.create(optionsOn(page.html), lies),
    });
  }

  /** A person with a passkey that was added after a sign-in with the password. */
  async personWithPasskey(
    name: string,
    ...roles: string[]
  ): Promise<{ who: Employee; passkey: SoftwarePasskey }> {
    const who = await this.office.company.employee(name, ...roles);
    const { browser } = await this.byPassword(who);
    const passkey = this.passkey();
    const page = await this.register(browser, passkey);
    if (page.url !== this.url('/account/passkeys?done=added')) throw new Error(page.html);
    return { who, passkey };
  }

  passkeysOf(who: Employee): Promise<PasskeyRow[]> {
    return this.office.server.database.read.select(passkeys, eq('userId', who.id));
  }

  /** How many records of sign-ins have this text, such as a fault. */
  async recordsWith(text: string, kind = 'sign_in'): Promise<number> {
    const rows = await this.office.server.database.read.select(auditRecords, eq('kind', kind));
    return rows.filter(({ body }) => body.includes(text)).length;
  }
}
