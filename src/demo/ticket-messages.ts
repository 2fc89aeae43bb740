import type { Matter } from './ticket-subjects.js';
import { demoAgents, demoCompanyName } from './people.js';
import type { Random } from './seeded-random.js';
import type { Turn } from './ticket-script.js';
import type { Moment } from './scenario.js';
import { fill } from './fill-template.js';

export interface Message {
  readonly author: 'customer' | 'staff' | 'agent' | 'note';
  readonly authorName: string;
  readonly body: string;
  readonly moment: Moment;
}

interface TimedTurn extends Turn {
  readonly moment: Moment;
}

/** For how many working days the assistant has given some of the first answers. */
const assistantDays = 130;

const colleagues = ['Rosa Lind', 'Rosa Lind', 'Milan Vos', 'Inês Carvalho', 'Tom Adeyemi', 'Hanna Berg'];
const assistant = demoAgents.find((agent) => agent.role === 'support-agent')?.displayName ?? 'Assistant';
const greetings = ['Hello,', 'Good morning,', 'Hi there,', 'Dear team,'];

export function timeTurns(
  random: Random,
  start: Moment,
  opening: string,
  turns: readonly Turn[],
): TimedTurn[] {
  let moment = start;
  const first: TimedTurn = { who: 'customer', text: opening, wait: [0, 0], moment };
  return [first, ...turns.map((turn) => ({ ...turn, moment: (moment += random.between(...turn.wait)) }))];
}

/** Assigns each turn an author, and adds a greeting, the values and a signature to its text. */
export function speak(
  random: Random,
  { customer, start }: Matter,
  turns: readonly TimedTurn[],
  values: Readonly<Record<string, string>>,
): Message[] {
  const contact = customer.row.contactName ?? customer.row.name;
  const given = contact.split(' ')[0] ?? contact;
  const greeting = random.pick(greetings);
  const colleague = random.pick(colleagues);
  const assisted = random.chance(0.4) && start > -assistantDays;
  const firstAnswer = turns.findIndex((turn) => turn.who === 'staff');

  return turns.map(({ who, text, moment }, index): Message => {
    const body = fill(text, values);
    if (who === 'note') return { author: who, authorName: colleague, body, moment };
    if (who === 'customer') {
      const opening = index === 0 ? `${greeting}\n\n` : '';
      return { author: who, authorName: contact, body: `${opening}${body}\n\n${contact}`, moment };
    }
    const byAssistant = assisted && index === firstAnswer;
    const signature = byAssistant ? `${assistant}, on behalf of ${colleague}` : colleague;
    return {
      author: byAssistant ? 'agent' : 'staff',
      authorName: byAssistant ? assistant : colleague,
      body: `Hello ${given},\n\n${body}\n\n${signature}\n${demoCompanyName}`,
      moment,
    };
  });
}
