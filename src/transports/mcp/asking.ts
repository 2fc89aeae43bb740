import { cutText } from '../../core/cut-text.js';
import type { ScopesReport } from '../../operation/scope-report.js';

/** Characters of the reason that the words to send repeat. */
const reasonMax = 500;

/** The state of the scopes that a task asks for. No request can be made here yet, so the person is asked. */
export function asking({ person, task, scopes }: ScopesReport, reason: string): object {
  const askable = scopes.filter(({ next }) => next !== null).map(({ scope }) => scope);
  if (askable.length > 0)
    return {
      ...{ status: 'ask_in_person', person },
      message: `For ${task ?? 'what you asked'} I need ${askable.join(', ')}: ${cutText(reason, reasonMax)}`,
      next: `Requests cannot be made here yet: send \`message\` to ${person}, and call this again when you have their answer.`,
      scopes,
    };
  if (scopes.every(({ held }) => held))
    return { status: 'held', person, message: 'The task includes all of them.', next: 'Go on.', scopes };
  return {
    ...{ status: 'impossible', person, message: 'None of these scopes can be asked for.' },
    next: `Go on without them, or tell ${person} that no task of this agent can have them.`,
    scopes,
  };
}
