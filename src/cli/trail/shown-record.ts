import { shownOfOld, shownTo, type Digest } from '../../audit/kept-value.js';
import type { AuditBody } from '../../audit/record.js';
import type { Change } from '../../audit/trail.js';
import { keyedDigest } from '../../core/digest.js';
import { isId } from '../../core/ids.js';
import type { Connection } from '../../store/sql/connection.js';
import { ServerKeys } from '../../store/sql/server-keys.js';
import type { AuditRecordRow } from '../../store/tables/audit.js';

/**
 * Shows records at the terminal. No person has signed in there, so values that callers wrote or searched for are
 * reduced to length and digest; `auditRecord` shows the values to a person who may read them.
 */
export async function recordReader(connection: Connection): Promise<(row: AuditRecordRow) => AuditBody> {
  const digest = keyedDigest((await ServerKeys.read(connection)).digests);
  return (row) => {
    const body = JSON.parse(row.body) as AuditBody;
    const { variables, arguments: literals, changes } = body;
    const shown = (text: string | null): string | null => {
      if (text === null) return null;
      const stored: unknown = JSON.parse(text);
      return JSON.stringify(
        row.valuesFormat === null ? shownOfOld(stored, isId, digest) : shownTo(stored, () => false, digest),
      );
    };
    return {
      ...body,
      variables: shown(variables),
      ...(literals === undefined ? {} : { arguments: shown(literals) }),
      changes: changes.map((change) => ({
        ...change,
        before: withDigests(change.before, digest),
        after: withDigests(change.after, digest),
      })),
    };
  };
}

/** Ids, times, numbers and flags reveal nothing by themselves. */
const withDigests = (values: Change['before'], digest: Digest): Change['before'] =>
  shownOfOld(values, (text) => isId(text) || isTime(text), digest) as Change['before'];

const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text);
