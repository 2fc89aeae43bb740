import type { Prompt } from '../terminal/prompt.js';
import { CommandError } from '../../core/command-error.js';
import { note } from '../terminal/output.js';
import { FormClient, type FormPage, type Landed } from './form-client.js';
import type { AuthorizationRequest } from './oauth-client.js';

export interface Person {
  readonly name: string;
  /** Asked for where it is undefined. */
  readonly password: string | undefined;
}

/** Signs in without a browser, through the same pages. Returns the parameters of the redirect. */
export async function signInWithPassword(
  server: string,
  authorization: AuthorizationRequest,
  person: Person,
  prompt: Prompt,
): Promise<URLSearchParams> {
  const client = new FormClient(server, authorization.redirectUri);
  let landed: Landed = await client.open(authorization.url);
  for (let tries = 0; landed.kind === 'page'; tries += 1) {
    const { page } = landed;
    const isRetry = page.faults.length > 0;
    // A file would give the same password again, and a pipe has one answer only.
    if (isRetry && (!prompt.isTerminal || tries > triesMax || isFromFile(page, person))) {
      throw new CommandError(page.faults.join(' '));
    }
    for (const fault of page.faults) note(fault);
    landed = await client.submit(page, await answerTo(page, person, prompt));
  }
  return landed.params;
}

const triesMax = 5;

const isFromFile = (page: FormPage, { password }: Person): boolean =>
  page.fields.has('password') && password !== undefined;

async function answerTo(page: FormPage, person: Person, prompt: Prompt): Promise<Record<string, string>> {
  if (page.fields.has('new-password')) return newPassword(person, prompt);
  if (page.fields.has('password')) {
    const password = person.password ?? (await prompt.secret(`Password of ${person.name}: `));
    return { username: person.name, password };
  }
  throw new CommandError(`The server does not let ${person.name} in here: ${page.heading}`);
}

async function newPassword(person: Person, prompt: Prompt): Promise<Record<string, string>> {
  note(`${person.name} has to choose a new password: at least 12 characters.`);
  const password = await prompt.secret('New password: ');
  return { 'new-password': password, 'repeat-password': await prompt.secret('New password once more: ') };
}
