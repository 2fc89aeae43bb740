import type { LoadedCompany } from '../../../src/demo/load-demo-company.js';
import { signInPerson } from '../oauth.js';
import type { Caller, Step } from '../step.js';

type Person = LoadedCompany['people'][number];

/** A person signs in through the server's pages. A password set by someone else works only once. */
export async function signIn(step: Step, person: Person): Promise<Caller> {
  const mustChoose = person.role === 'administrator';
  const pages = mustChoose ? ['Sign in', 'Choose a new password'] : ['Sign in'];
  const shown = pages.map((title) => `“${title}”`).join(' and ');
  step.asks(
    `The page${mustChoose ? 's' : ''} ${shown}, then an access token (authorization code with PKCE).`,
  );
  step.why(reasons[person.role] ?? '');
  const signedIn = await signInPerson(step.server, person.name, person.password);
  const { status, access_token: token, expires_in: seconds = 0, error } = signedIn.token;
  step.expect('the pages that the person sees', signedIn.pages, pages);
  step.expect('the token endpoint answers', status, 200);
  if (token === undefined) throw new Error(`there is no access token, but ${String(error)}`);
  step.gets(`A token with which ${person.displayName} acts in person for ${String(seconds / 60)} minutes.`);
  return { person: person.displayName, token };
}

const reasons: Readonly<Record<string, string>> = {
  'support-rep': 'Whatever an agent does here begins with a person, who answers for it.',
  administrator: 'The first password was made by the server, so somebody else has seen it: it works once.',
  auditor: 'Auditors read every record and no business data, and change nothing.',
};
