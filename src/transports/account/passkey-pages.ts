import { html, type Html } from '../../oauth/pages/html.js';
import { faultSummary, input, type Fault, type Page } from '../../oauth/pages/page.js';
import { passkeyForm } from '../../oauth/pages/passkey-pages.js';
import { NotThere, question } from './change-pages.js';
import {
  addPasskeyDocument,
  beginPasskeyDocument,
  passkeysDocument,
  removePasskeyDocument,
  renamePasskeyDocument,
  type Passkey,
} from './sign-in-documents.js';
import { askLink, backLink, form, formFields, newKey, pageHead, type Reader } from './parts.js';
import { OperationFailed } from './visitor.js';
import { time } from './words.js';

const home = '/account/passkeys';

const pageOf = (title: string, body: Html, faults: readonly Fault[] = []): Page => ({
  status: faults.length === 0 ? 200 : 422,
  title: faults.length === 0 ? title : `Error: ${title}`,
  body,
  isWide: true,
});

async function ownPasskeys({ visitor, person }: Reader): Promise<readonly Passkey[]> {
  if (person.ownPasskeys === undefined) throw new NotThere();
  return (await visitor.run(passkeysDocument, { filter: person.ownPasskeys })).passkeys.nodes;
}

async function ownPasskey(reader: Reader, id: string): Promise<Passkey> {
  const passkey = (await ownPasskeys(reader)).find((one) => one.id === id);
  if (passkey === undefined) throw new NotThere();
  return passkey;
}

const notices: Readonly<Record<string, string>> = {
  added: 'Your passkey is added. You can sign in with it.',
  removed: 'The passkey is removed, and your other sign-ins have ended.',
};

const card = ({ id, name, createdAt, lastUsedAt }: Passkey): Html =>
  html`<section class="card">
    <h3>${name}</h3>
    <p class="soft">
      Added ${time(createdAt)} ·
      ${lastUsedAt === null ? 'not used to sign in yet' : html`last used ${time(lastUsedAt)}`}
    </p>
    <p class="actions">
      <a class="button quiet" href="${home}/${id}">Rename<span class="hidden"> ${name}</span></a>
      ${askLink(`${home}/${id}/remove`, 'Remove', name)}
    </p>
  </section>`;

/** The person's passkeys. */
export async function passkeysPage(reader: Reader, done: string | null): Promise<Page> {
  const passkeys = await ownPasskeys(reader);
  const notice = done === null ? undefined : notices[done];
  return pageOf(
    'Your passkeys',
    html`${pageHead(reader)}
      <h1>Your passkeys</h1>
      ${notice === undefined ? undefined : html`<p class="notice" role="status">${notice}</p>`}
      <p>
        With a passkey you sign in by fingerprint, face or PIN. It works on this site alone, so nobody can
        trick you into using it elsewhere.
      </p>
      ${passkeys.length === 0 ? html`<p>You have no passkey.</p>` : passkeys.map(card)}
      <p class="actions"><a class="button" href="${home}/add">Add a passkey</a></p>
      ${backLink}`,
  );
}

const nameInput = (value: string, faults: readonly Fault[]): Html =>
  input({
    ...{ id: 'name', label: 'Name', type: 'text', autocomplete: 'off', value, faults },
    hint: 'By which you know it again, such as “Laptop” or “Key on my key ring”.',
  });

/** Asks the browser for a passkey. The server has a challenge for it, which is good for five minutes. */
export async function askAddPasskey(reader: Reader, name = '', faults: readonly Fault[] = []): Promise<Page> {
  const { beginPasskey } = await reader.visitor.run(beginPasskeyDocument, { key: newKey() });
  const page = pageOf(
    'Add a passkey',
    html`${pageHead(reader)}
      <h1>Add a passkey</h1>
      ${faultSummary(faults)}
      ${passkeyForm({
        action: `${home}/add`,
        ceremony: 'create',
        options: beginPasskey.options,
        button: 'Add a passkey',
        fields: html`${formFields(reader.visitor)} ${nameInput(name, faults)}`,
        otherWay: html`<a class="button quiet" href="${home}">Cancel</a>`,
      })}`,
    faults,
  );
  return { ...page, hasPasskeyScript: true };
}

const shownInForm: ReadonlySet<string> = new Set(['BAD_USER_INPUT', 'CONFLICT']);

/** The fault of a refused operation, beside its field. */
function faultOf(error: unknown): Fault {
  if (!(error instanceof OperationFailed) || !shownInForm.has(error.code)) throw error;
  return { field: error.path === 'name' ? 'name' : 'passkey', message: error.message };
}

export async function addPasskey(reader: Reader, entered: URLSearchParams): Promise<string | Page> {
  const name = entered.get('name') ?? '';
  const [response, key] = [entered.get('passkey') ?? '', entered.get('key') ?? ''];
  if (name.trim() === '')
    return askAddPasskey(reader, name, [{ field: 'name', message: 'Give the passkey a name.' }]);
  try {
    await reader.visitor.run(addPasskeyDocument, { name, response, key });
    return `${home}?done=added`;
  } catch (error) {
    return askAddPasskey(reader, name, [faultOf(error)]);
  }
}

const renamePage = (
  reader: Reader,
  { id, name }: Pick<Passkey, 'id' | 'name'>,
  faults: readonly Fault[],
): Page =>
  pageOf(
    'Rename this passkey',
    html`${pageHead(reader)}
      <h1>Rename this passkey</h1>
      ${faultSummary(faults)}
      ${form(
        reader.visitor,
        `${home}/${id}`,
        html`${nameInput(name, faults)}
          <div class="actions">
            <button type="submit">Save</button>
            <a class="button quiet" href="${home}">Cancel</a>
          </div>`,
      )}`,
    faults,
  );

/** One passkey, with the form for its name. */
export const passkeyPage = async (reader: Reader, id: string): Promise<Page> =>
  renamePage(reader, await ownPasskey(reader, id), []);

export async function renamePasskey(
  reader: Reader,
  id: string,
  entered: URLSearchParams,
): Promise<string | Page> {
  const { id: own } = await ownPasskey(reader, id);
  const name = entered.get('name') ?? '';
  try {
    await reader.visitor.run(renamePasskeyDocument, { id: own, name, key: entered.get('key') ?? '' });
    return home;
  } catch (error) {
    return renamePage(reader, { id: own, name }, [faultOf(error)]);
  }
}

/** Asks before a passkey is removed. */
export async function askRemovePasskey(reader: Reader, id: string): Promise<Page> {
  const { name } = await ownPasskey(reader, id);
  const consequence = html`<p><strong>${name}</strong></p>
    <p>
      Nobody can sign in with it any more, and your other sign-ins end. Your device may still show it: remove
      it there as well.
    </p>`;
  const texts = { title: 'Remove this passkey?', consequence, yes: 'Remove', no: home };
  return question(reader, texts, `${home}/${id}/remove`);
}

export async function removePasskey(reader: Reader, id: string, key: string): Promise<string> {
  const { id: own } = await ownPasskey(reader, id);
  await reader.visitor.run(removePasskeyDocument, { id: own, key });
  return `${home}?done=removed`;
}
