import { coordinatesIn, shownOfOld, shownTo } from '../audit/kept-value.js';
import type { AuditBody } from '../audit/record.js';
import type { Change } from '../audit/trail.js';
import type { Scope } from '../authority/scope.js';
import { isId } from '../core/ids.js';
import type { Operation } from '../delegation/resolver-context.js';
import type { Written } from '../store/bounded/may-read-written.js';
import type { AuditRecordRow } from '../store/tables/audit.js';

/** The scope of each coordinate in the SDL. */
export type Scopes = ReadonlyMap<string, Scope>;

/**
 * A record's values as JSON. This reader sees a value where they may read the field it was written to, and its digest
 * elsewhere.
 */
export async function shownValues(
  operation: Operation,
  scopes: Scopes,
  { valuesFormat }: Pick<AuditRecordRow, 'valuesFormat'>,
  body: AuditBody,
  text: string | null,
): Promise<string | null> {
  if (text === null) return null;
  const stored: unknown = JSON.parse(text);
  if (valuesFormat === null) return JSON.stringify(shownOfOld(stored, isId, operation.digest));
  const readable = new Set<string>();
  for (const coordinate of coordinatesIn(stored)) {
    if (await mayRead(operation, scopes.get(coordinate), coordinate, writtenBy(operation, body, coordinate)))
      readable.add(coordinate);
  }
  return JSON.stringify(shownTo(stored, (coordinate) => readable.has(coordinate), operation.digest));
}

/** The changes in a record, each value shown or replaced by its digest. */
export async function shownChanges(operation: Operation, scopes: Scopes, body: AuditBody): Promise<Change[]> {
  const changes: Change[] = [];
  for (const change of body.changes) {
    const { type, id } = change;
    const readable = new Map<string, boolean>();
    const keys = [change.before, change.after].flatMap((values) => Object.keys(values ?? {}));
    for (const key of new Set(keys)) {
      const coordinate = coordinateOf(scopes, type, key);
      const isOwn = isOwnRecord(operation, body);
      const scope = coordinate === undefined ? operation.rows.scopeOfType(type) : scopes.get(coordinate);
      // For types that no caller sees, a record holds only ids, times and flags.
      const isFree = scope === undefined && coordinate === undefined;
      readable.set(
        key,
        isFree || (await mayRead(operation, scope, `${type}.${key}`, { ids: [id], places: [], isOwn })),
      );
    }
    const shown = (values: Change['before']): Change['before'] =>
      values === null
        ? null
        : Object.fromEntries(
            Object.entries(values).map(([key, value]) => [
              key,
              shownTo({ $of: [key], value }, () => readable.get(key) === true, operation.digest),
            ]),
          );
    changes.push({ ...change, before: shown(change.before), after: shown(change.after) });
  }
  return changes;
}

/** Columns whose fields have other names. */
const fieldNames: Readonly<Record<string, string>> = { jwks: 'publicKeys', role: 'roles' };

/** The field that shows a column. */
function coordinateOf(scopes: Scopes, type: string, column: string): string | undefined {
  const fields = [column, fieldNames[column] ?? column, column.replace(/Id$/, '')];
  return fields.map((field) => `${type}.${field}`).find((coordinate) => scopes.has(coordinate));
}

const isOwnRecord = ({ authority }: Operation, { chain }: AuditBody): boolean =>
  chain?.person?.id === authority.chain.person.id;

function writtenBy(operation: Operation, body: AuditBody, coordinate: string): Written {
  const type = typeOf(coordinate);
  const isWrite = ({ action }: { action: string }): boolean => action === 'create' || action === 'update';
  const written = body.resources.filter((one) => one.type === type && isWrite(one));
  const places = (body.places ?? []).filter((one) => one.type === type);
  return {
    ids: [...new Set(written.flatMap(({ ids }) => ids))],
    places: places.map(({ place }) => new Map(Object.entries(place))),
    isOwn: isOwnRecord(operation, body),
  };
}

const typeOf = (coordinate: string): string => coordinate.split('.')[0] ?? '';

/** A coordinate that no longer exists has no readers. */
const mayRead = async (
  { rows }: Operation,
  scope: Scope | undefined,
  coordinate: string,
  written: Written,
): Promise<boolean> => scope !== undefined && rows.mayRead(typeOf(coordinate), scope, written);
