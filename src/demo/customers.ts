import { demoCustomer } from './demo-case.js';
import type { Customer, CustomerDraft } from './customer-drafts.js';
import { brandWords, countries, trades, type Country } from './customer-places.js';
import type { Random } from './seeded-random.js';
import { byMoment, scenarioDays, type Scenario } from './scenario.js';

/** In thousands of euros, from the credit rules. */
const creditLimitMax = { europe: 10, 'north-america': 8, 'asia-pacific': 6, 'latin-america': 5 } as const;

const slug = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/ı/g, 'i')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

function companyName(random: Random, country: Country, city: string): string {
  const first = random.pick([random.pick(country.lastNames), random.pick(brandWords), city]);
  return `${first} ${random.pick(trades)} ${random.pick(country.legalForms)}`;
}

function draft(random: Random, country: Country, taken: Set<string>): CustomerDraft {
  const [city = '', area = ''] = random.pick(country.cities).split('/');
  let name = companyName(random, country, city);
  while (taken.has(slug(name))) name = companyName(random, country, city);
  taken.add(slug(name));
  const contactName = `${random.pick(country.firstNames)} ${random.pick(country.lastNames)}`;
  const creditLimit = random.int(2, 2 * creditLimitMax[country.region]) * 50_000;
  return {
    facts: {
      name,
      region: country.region,
      country: country.name,
      city,
      contactName,
      email: `${contactName.split(' ').map(slug).join('.')}@${slug(name)}.example`,
      phone: `+${country.dial} ${area} 555 01${String(random.int(0, 99)).padStart(2, '0')}`,
      address: `${random.pick(country.streets).replace('#', String(random.int(1, 180)))}, ${city}`,
      creditLimitMinor: random.chance(0.1) ? null : creditLimit,
    },
    since: random.chance(0.75) ? random.between(-780, -scenarioDays) : random.between(-scenarioDays, -15),
    framework: random.chance(0.08),
    weight: 0.15 + random.next() ** 2,
  };
}

export function makeCustomers(scenario: Scenario): Customer[] {
  const random = scenario.random('customers');
  const taken = new Set([slug(demoCustomer.facts.name)]);
  const drafts = countries.flatMap((country) =>
    Array.from({ length: country.customers }, () => draft(random, country, taken)),
  );
  return [...drafts, demoCustomer].sort(byMoment((each) => each.since)).map(({ facts, ...rest }, index) => ({
    ...rest,
    row: {
      ...facts,
      id: scenario.id(rest.since),
      number: `C-${String(1001 + index)}`,
      currency: 'EUR',
      createdAt: scenario.iso(rest.since),
    },
  }));
}
