import type { CustomerDraft, Plan } from './customer-drafts.js';
import type { Moment } from './scenario.js';

/** The newest ticket, written by hand. The demo and the documentation use it. */
export const demoTicketNumber = 'T-4021';

/** The age of the demo ticket. Urgent tickets are answered within two hours. */
export const demoTicketAgeMs = 95 * 60_000;

export const demoCustomer: CustomerDraft = {
  facts: {
    name: 'Maison Delorme Coworking SAS',
    region: 'europe',
    country: 'France',
    city: 'Lyon',
    contactName: 'Camille Delorme',
    email: 'camille.delorme@maison-delorme-coworking.example',
    phone: '+33 4 555 0142',
    address: '12 quai des Étoiles, Lyon',
    creditLimitMinor: 600_000,
  },
  since: -520.4,
  framework: false,
  weight: 0,
};

const plan: Plan = {
  packAfter: 0.3,
  shipAfter: 0.9,
  transit: 2.6,
  cancelAfter: null,
  settlement: 'full',
  payAfter: 12,
};

interface DemoOrder {
  readonly placed: Moment;
  readonly plan: Plan;
  /** SKU and quantity. */
  readonly items: readonly (readonly [string, number])[];
}

/** The ticket is about the last order: delivered, and paid a few days later. */
export const demoOrders: readonly DemoOrder[] = [
  {
    placed: -302.3,
    plan,
    items: [
      ['ESP-130', 1],
      ['COF-010', 12],
      ['CLE-010', 2],
    ],
  },
  {
    placed: -171.6,
    plan,
    items: [
      ['COF-010', 24],
      ['CUP-020', 12],
      ['CLE-050', 3],
    ],
  },
  {
    placed: -64.5,
    plan,
    items: [
      ['COF-010', 18],
      ['COF-040', 4],
    ],
  },
  {
    placed: -9.2,
    plan: { ...plan, payAfter: 5.5 },
    items: [
      ['GRI-080', 2],
      ['COF-050', 6],
    ],
  },
];

export const demoSubject =
  'One of two grinders arrived broken, invoice already paid: refund before our books close?';

export const demoMessage = `Hello,

Order {order} reached us in {city} on {delivered}. One of the two Merlin 80 grinders does not work: the hopper is cracked and the burr carrier is bent. The outer box looked fine, so we signed for it and only saw the damage when we set the grinder up. The second grinder and the coffee are all right.

We paid invoice {invoice} ({amount}) in full on {paid}. We have borrowed a grinder and do not need a replacement, so we would like our money back for the broken one.

Could you tell me today:
- Are we still inside the refund window?
- How much do we get back for one grinder?
- How many days does it take, and what do you need from us?

Our accountant closes the books tomorrow and needs something in writing.

Thank you,
Camille Delorme`;
