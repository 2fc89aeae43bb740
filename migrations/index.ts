import { Identity1700000000001 } from './0001-identity.js';
import { Delegation1700000000002 } from './0002-delegation.js';
import { Audit1700000000003 } from './0003-audit.js';
import { Knowledge1700000000004 } from './0004-knowledge.js';
import { Business1700000000005 } from './0005-business.js';
import { TrustedDocuments1700000000006 } from './0006-trusted-documents.js';
import { AuditUnindexed1700000000007 } from './0007-audit-unindexed.js';
import { AuditKeyOrder1700000000008 } from './0008-audit-key-order.js';
import { AuditActingDelegation1700000000009 } from './0009-audit-acting-delegation.js';
import { AuditIndex1700000000010 } from './0010-audit-index.js';
import { SearchMerged1700000000011 } from './0011-search-merged.js';
import { TimeOrders1700000000012 } from './0012-time-orders.js';
import { AnswerPlaces1700000000013 } from './0013-answer-places.js';
import { OldKeys1700000000014 } from './0014-old-keys.js';
import { TokenGenerations1700000000015 } from './0015-token-generations.js';
import { ServerKeys1700000000020 } from './0020-server-keys.js';
import { RecordValues1700000000021 } from './0021-record-values.js';
import { SearchParts1700000000023 } from './0023-search-parts.js';
import { PassageEditions1700000000024 } from './0024-passage-editions.js';
import { CurrencyPlaces1700000000026 } from './0026-currency-places.js';
import { DocumentSources1700000000027 } from './0027-document-sources.js';
import { TableCharsets1700000000028 } from './0028-table-charsets.js';
import { AuditOutbox1700000000029 } from './0029-audit-outbox.js';

/** In the order in which they run. A new one is a new file and one line here. */
export const migrations = [
  Identity1700000000001,
  Delegation1700000000002,
  Audit1700000000003,
  Knowledge1700000000004,
  Business1700000000005,
  TrustedDocuments1700000000006,
  AuditUnindexed1700000000007,
  AuditKeyOrder1700000000008,
  AuditActingDelegation1700000000009,
  AuditIndex1700000000010,
  SearchMerged1700000000011,
  TimeOrders1700000000012,
  AnswerPlaces1700000000013,
  OldKeys1700000000014,
  TokenGenerations1700000000015,
  ServerKeys1700000000020,
  RecordValues1700000000021,
  SearchParts1700000000023,
  PassageEditions1700000000024,
  CurrencyPlaces1700000000026,
  DocumentSources1700000000027,
  TableCharsets1700000000028,
  AuditOutbox1700000000029,
];
