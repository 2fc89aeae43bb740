import type { X509Certificate } from 'node:crypto';
import { addressIn } from '../../core/client-address.js';
import type { StoredCertificateName } from '../../store/tables/identity.js';

const kinds = { DNS: 'san_dns', URI: 'san_uri', 'IP Address': 'san_ip', email: 'san_email' } as const;
type Kind = StoredCertificateName['kind'];

const isKind = (label: string): label is keyof typeof kinds => Object.hasOwn(kinds, label);

/** Whether a certificate has this name (RFC 8705 section 2.1.2), compared as a whole: no wildcards, no common names. */
export function hasName(certificate: X509Certificate, { kind, value }: StoredCertificateName): boolean {
  const expected = normalName(kind, value);
  const given = kind === 'subject_dn' ? [subjectOf(certificate)] : alternativeNames(certificate).get(kind);
  return given?.some((name) => normalName(kind, name) === expected) === true;
}

function normalName(kind: Kind, name: string): string {
  switch (kind) {
    case 'subject_dn':
      return normalSubject(name);
    case 'san_dns':
      return name.toLowerCase();
    case 'san_ip':
      return addressIn(name) ?? name;
    default:
      return name;
  }
}

/** Node escapes a name as JSON where it has a comma or a quotation mark, so that none can hide another one. */
function alternativeNames({ subjectAltName = '' }: X509Certificate): Map<Kind, string[]> {
  const names = new Map<Kind, string[]>();
  for (const [, label = '', text = ''] of subjectAltName.matchAll(
    /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?=, |$)/g,
  )) {
    if (!isKind(label)) continue;
    const name = text.startsWith('"') ? String(JSON.parse(text)) : text;
    names.set(kinds[label], [...(names.get(kinds[label]) ?? []), name]);
  }
  return names;
}

/** The subject as RFC 4514 writes it: the last part first. Node has one part on each line, escaped in the same way. */
const subjectOf = ({ subject }: X509Certificate): string => subject.split('\n').reverse().join(',');

/** Without spaces around the parts, and with types in capitals. Values are compared exactly. */
const normalSubject = (name: string): string =>
  (name.match(/(?:[^,\\]|\\.)+/gs) ?? [])
    .map((part) =>
      part.trim().replace(/^([A-Za-z0-9.]+)\s*=\s*/, (_, type: string) => `${type.toUpperCase()}=`),
    )
    .join(',');
