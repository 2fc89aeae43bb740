import type { Invoice, Payment } from './invoices.js';
import type { Customer } from './customer-drafts.js';
import { demoCustomer } from './demo-case.js';
import { findMatter, matterValues, type Archive, type Matter } from './ticket-subjects.js';
import { lineTotal, type Line, type Order } from './orders.js';
import type { Product } from './products.js';
import type { Random } from './seeded-random.js';
import type { RefundScript, Script } from './ticket-script.js';
import { faultScripts, questionScripts } from './ticket-scripts-machines.js';
import { billingScripts, deliveryScripts, returnsScripts } from './ticket-scripts-orders.js';
import { refundScripts } from './ticket-scripts-refund.js';
import type { Moment, Scenario } from './scenario.js';
import { speak, timeTurns, type Message } from './ticket-messages.js';
import { fill, spokenMoney } from './fill-template.js';

export interface Refund {
  readonly payment: Payment;
  readonly amountMinor: number;
  readonly product: Product;
  readonly quantity: number;
  readonly reason: string;
  readonly returned: boolean;
  readonly moment: Moment;
}

export interface TicketDraft {
  readonly customer: Customer;
  readonly order: Order | null;
  readonly category: Script['category'];
  readonly priority: Script['priorities'][number];
  readonly subject: string;
  readonly start: Moment;
  readonly messages: readonly Message[];
  readonly isComplete: boolean;
  readonly refund: Refund | null;
}

const refundCount = 70;
/** Tickets of the last days, so that the helpdesk has open work. */
const recentCount = 48;
const recentDays = 9;
const returnPostageMinor = 950;

const ordinaryScripts = {
  question: questionScripts,
  delivery: deliveryScripts,
  billing: billingScripts,
  returns: returnsScripts,
  fault: faultScripts,
};
const categories = ['question', 'delivery', 'delivery', 'billing', 'billing', 'returns', 'fault'] as const;

function ordinaryTicket(scenario: Scenario, random: Random, script: Script, matter: Matter): TicketDraft {
  const turns = timeTurns(random, matter.start, random.pick(script.openings), script.turns);
  const isRecent = matter.start > -recentDays;
  const kept = isRecent ? random.int(1, turns.length) : turns.length;
  const sent = turns.filter((turn, index) => index < kept && turn.moment < 0);
  const values = matterValues(scenario, matter);
  return {
    customer: matter.customer,
    order: matter.order,
    start: matter.start,
    category: script.category,
    priority: random.pick(script.priorities),
    subject: fill(script.subject, values),
    messages: speak(random, matter, sent, values),
    isComplete: sent.length === turns.length,
    refund: null,
  };
}

/** The person who has to approve, by finance's rules. */
function approval(amountMinor: number): string {
  if (amountMinor <= 50_000) return 'Within my limit, approved.';
  if (amountMinor <= 500_000) return 'Above EUR 500: Farah Idris has approved it.';
  return 'Above EUR 5,000: Farah Idris and the board have approved it.';
}

function refundAmount(script: RefundScript, line: Line): number {
  const amountMinor =
    script.refund.of === 'line'
      ? line.row.totalMinor
      : lineTotal(1, line.row.unitPriceMinor, line.row.discountBasisPoints);
  return amountMinor - (script.refund.returned ? returnPostageMinor : 0);
}

function refundTicket(
  scenario: Scenario,
  random: Random,
  script: RefundScript,
  matter: Matter,
): TicketDraft | null {
  const { line, invoice, start } = matter;
  const [payment, second] = invoice?.payments ?? [];
  if (!line || !payment || second || invoice?.row.status !== 'paid') return null;
  const turns = timeTurns(random, start, random.pick(script.openings), script.turns);
  const last = turns.at(-1)?.moment ?? start;
  const moment = last - 0.01;
  const amountMinor = refundAmount(script, line);
  if (last >= 0 || payment.received >= moment || amountMinor <= 0) return null;
  const values = {
    ...matterValues(scenario, matter),
    refund: spokenMoney(amountMinor),
    approval: approval(amountMinor),
  };
  const quantity = script.refund.of === 'line' ? line.row.quantity : 1;
  return {
    customer: matter.customer,
    order: matter.order,
    start,
    category: script.category,
    priority: random.pick(script.priorities),
    subject: fill(script.subject, values),
    messages: speak(random, matter, turns, values),
    isComplete: true,
    refund: { ...script.refund, payment, amountMinor, product: line.product, quantity, moment },
  };
}

/** How often an order is drawn for one script. Scripts that fit few orders need many draws. */
const drawsMax = 300;

/** Draws until enough drafts fit. Many draws do not fit, but the scenario is small. */
function collect(count: number, draw: (found: readonly TicketDraft[]) => TicketDraft | null): TicketDraft[] {
  const found: TicketDraft[] = [];
  while (found.length < count) {
    const draft = draw(found);
    if (draft) found.push(draft);
  }
  return found;
}

export function draftTickets(
  scenario: Scenario,
  count: number,
  orders: readonly Order[],
  invoices: readonly Invoice[],
): TicketDraft[] {
  const random = scenario.random('tickets');
  const archive: Archive = {
    orders: orders.filter((order) => order.customer.row.name !== demoCustomer.facts.name),
    invoiceOf: new Map(invoices.map((invoice) => [invoice.order, invoice])),
  };
  const drawRefund = (found: readonly TicketDraft[]): TicketDraft | null => {
    const script = random.pick(refundScripts);
    const matter = findMatter(random, script, archive);
    if (!matter || found.some((draft) => draft.order === matter.order)) return null;
    return refundTicket(scenario, random, script, matter);
  };
  const drawOrdinary = (isWanted: (start: Moment) => boolean) => (): TicketDraft | null => {
    const script = random.pick<Script>(ordinaryScripts[random.pick(categories)]);
    for (let draws = 0; draws < drawsMax; draws += 1) {
      const matter = findMatter(random, script, archive);
      if (matter && isWanted(matter.start)) return ordinaryTicket(scenario, random, script, matter);
    }
    return null;
  };
  const recent = (start: Moment): boolean => start > -recentDays;
  return [
    ...collect(refundCount, drawRefund),
    ...collect(recentCount, drawOrdinary(recent)),
    ...collect(
      count - refundCount - recentCount,
      drawOrdinary((start) => !recent(start)),
    ),
  ];
}
