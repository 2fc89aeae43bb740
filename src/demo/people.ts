/** An employee of the demo company. Passwords are generated when the company is loaded. */
export interface DemoUser {
  readonly name: string;
  readonly displayName: string;
  readonly email: string;
  readonly role: string;
}

export interface DemoAgent {
  /** The OAuth `client_id`. */
  readonly name: string;
  readonly displayName: string;
  readonly businessTask: string;
  /** The user who is responsible for it. */
  readonly owner: string;
  readonly role: string;
}

export const demoCompanyName = 'Marlow & Finch';

const person = (name: string, displayName: string, role: string): DemoUser => ({
  name,
  displayName,
  email: `${name}@marlow-finch.example`,
  role,
});

export const demoAdministrator = person('admin', 'Administrator', 'administrator');

export const demoUsers: readonly DemoUser[] = [
  demoAdministrator,
  person('rosa.lind', 'Rosa Lind', 'support-rep'),
  person('ansel.moreau', 'Ansel Moreau', 'analyst'),
  person('farah.idris', 'Farah Idris', 'finance-manager'),
  person('oskar.nyberg', 'Oskar Nyberg', 'operations-manager'),
  person('audra.quist', 'Audra Quist', 'auditor'),
];

export const demoAgents: readonly DemoAgent[] = [
  {
    name: 'helpdesk-assistant',
    displayName: 'Helpdesk Assistant',
    businessTask: 'Answer customers’ tickets with what our policies and guides say.',
    owner: 'rosa.lind',
    role: 'support-agent',
  },
  {
    name: 'insight-assistant',
    displayName: 'Insight Assistant',
    businessTask: 'Count and compare sales and tickets for reports, without seeing single customers.',
    owner: 'ansel.moreau',
    role: 'analytics-agent',
  },
  {
    name: 'ledger-assistant',
    displayName: 'Ledger Assistant',
    businessTask: 'Match payments, follow open invoices and prepare refunds.',
    owner: 'farah.idris',
    role: 'finance-agent',
  },
  {
    name: 'warehouse-assistant',
    displayName: 'Warehouse Assistant',
    businessTask: 'Watch stock, move orders along and propose what to buy.',
    owner: 'oskar.nyberg',
    role: 'operations-agent',
  },
];
