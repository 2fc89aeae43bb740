import { activeDocuments } from '../admin/trusted-documents.js';
import { asText, decode, encode } from '../store/sql/column-values.js';
import { quote } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { auditDocuments, auditRecords } from '../store/tables/audit.js';

/** A use, or an attempt, of an unregistered document by a role. */
export interface UnregisteredUses {
  readonly role: string;
  /** The operation's name; null for a refused operation, which is not parsed. */
  readonly operationName: string | null;
  /** SHA-256 of the source, hexadecimal. */
  readonly hash: string;
  /** How often it ran and was logged. */
  readonly ran: number;
  readonly refused: number;
  readonly lastAt: string;
  /** The name under which it is registered now; null where it would still be refused. */
  readonly registeredAs: string | null;
}

/** The uses of unregistered documents in the records, by role, the most frequent first. */
export async function unregisteredUses(
  connection: Connection,
  filter: { readonly role?: string | undefined; readonly since?: string | undefined },
): Promise<UnregisteredUses[]> {
  const { at } = auditRecords.columns;
  const conditions = [
    ...(filter.role === undefined ? [] : [{ text: 'd.`role` = ?', param: filter.role }]),
    ...(filter.since === undefined ? [] : [{ text: 'r.`at` >= ?', param: encode(at, filter.since) }]),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ text }) => text).join(' AND ')} `;
  const rows = await connection.query(
    'SELECT d.`role` AS role, d.`document_hash` AS hash, MAX(r.`operation_name`) AS name, MAX(r.`at`) AS last_at, ' +
      "SUM(CASE WHEN d.`outcome` = 'refused' THEN 1 ELSE 0 END) AS refused, COUNT(*) AS uses " +
      `FROM ${quote(auditDocuments.name)} d JOIN ${quote(auditRecords.name)} r ON r.\`id\` = d.\`record_id\` ` +
      `${where}GROUP BY d.\`role\`, d.\`document_hash\` ORDER BY d.\`role\`, uses DESC, d.\`document_hash\``,
    conditions.map(({ param }) => param),
  );
  const names = new Map((await activeDocuments(connection)).map((row) => [row.hash, row.name]));
  return rows.map((row) => {
    const hash = Buffer.from(asText(row.hash), 'base64url').toString('hex');
    const refused = Number(row.refused);
    return {
      role: asText(row.role),
      operationName: row.name === null ? null : asText(row.name),
      hash,
      ran: Number(row.uses) - refused,
      refused,
      lastAt: asText(decode(at, row.last_at)),
      registeredAs: names.get(hash) ?? null,
    };
  });
}
