import { knowledge } from '../../src/domains/knowledge/index.js';
import { readSchemaParts } from '../../src/graphql/schema/sdl.js';
import type { Classification } from '../../src/domains/knowledge/tables.js';
import { upsertImportedDocument } from '../../src/domains/knowledge/document-writes.js';
import { isoTime } from '../../src/core/clock.js';
import type { AppParts } from '../../src/app.js';
import { everywhere, TestServer } from './server.js';

/** A server with the knowledge domain alone. */
export const startKnowledge = (parts: AppParts = {}): Promise<TestServer> =>
  TestServer.start({ ...readSchemaParts('knowledge'), domains: [knowledge], ...parts });

export const reading = ['collections:read', 'documents:read'];
export const editing = [...reading, 'documents:write', 'documents:classify', 'documents:read_history'];

export const within = (collection: string[] | 'all', classification: string[] | 'all') => ({
  ...everywhere,
  collection,
  classification,
});

export interface Page {
  readonly path: string;
  readonly collection: string;
  readonly classification: Classification;
  readonly title: string;
  readonly body: string;
}

/** Imports one page, as the command does. */
export const importPage = (server: TestServer, page: Page): Promise<'created' | 'updated' | 'unchanged'> => {
  const { path, ...document } = page;
  const at = isoTime(server.clock.now());
  return server.database.transaction((tx) =>
    upsertImportedDocument(
      tx,
      { source: 'test', externalId: path, ...document, at, by: 'import' },
      server.ids,
    ),
  );
};

export const pages: readonly Page[] = [
  {
    path: 'policies/returns.md',
    collection: 'policies',
    classification: 'public',
    title: 'Returns and refunds',
    body: `---
title: Returns and refunds
---
# Returns and refunds

Anything may come back within thirty days.

## Refunds

The money is refunded within five days of the return. A refund goes back to the card that was charged.

## Damaged goods

Send a photograph. We replace what arrived broken.`,
  },
  {
    path: 'hr/leave.md',
    collection: 'hr',
    classification: 'internal',
    title: 'Leave and absence',
    body: `# Leave and absence

## Parental leave

Parental leave is sixteen weeks, paid in full. Ask HR two months ahead.

## Sick leave

Tell your lead before ten o'clock. After three days a doctor's note is needed.

## Café hours

The café near the office, run by Zoë, serves colleagues on leave as well: crème brûlée on Fridays.`,
  },
  {
    path: 'hr/salaries.md',
    collection: 'hr',
    classification: 'confidential',
    title: 'Salary bands',
    body: 'Bands are reviewed each spring. HR keeps the list. Parental leave does not change the band.',
  },
  {
    path: 'finance/refund-authority.md',
    collection: 'finance',
    classification: 'internal',
    title: 'Who may sign refunds',
    body: `A refund above 500 needs two signatures, one of them the head of finance.

## Fraud

A refund to another card than the one charged is refused. The legal team (法務部門) is told.`,
  },
];
