import { definitionOf, fullBoundary, type Definition } from '../admin/role-definition.js';
import { activeDocuments } from '../admin/trusted-documents.js';
import { InputFaults } from '../operator/input-faults.js';
import { all } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import type { TrustedDocumentRow } from '../store/tables/documents.js';
import { roles, type RoleRow } from '../store/tables/identity.js';
import { roleChanges, type PartChange } from './changes.js';
import { madeByApply } from './made-by-apply.js';
import type { Policy, PolicySchema } from './policy.js';
import type { OperationFile } from './read-operations.js';
import type { RoleFile } from './read-roles.js';

/** One line of a plan: `+` new, `~` changed, `-` gone from the folder. */
export interface PlanLine {
  readonly sign: '+' | '~' | '-';
  readonly kind: 'role' | 'operation';
  readonly name: string;
  readonly changes: readonly PartChange[];
}

/** A role to be made, changed, or emptied. */
export type RoleStep =
  | { readonly kind: 'create'; readonly file: RoleFile }
  | { readonly kind: 'change'; readonly file: RoleFile; readonly row: RoleRow }
  | { readonly kind: 'empty'; readonly row: RoleRow };

export interface Plan {
  readonly lines: readonly PlanLine[];
  readonly unchanged: number;
  readonly roles: readonly RoleStep[];
  readonly operations: {
    readonly registered: readonly OperationFile[];
    readonly retired: readonly TrustedDocumentRow[];
  };
}

/** Compares the folder with what there is. Rows of roles are locked where `tx` is a transaction. */
export async function planOf(tx: Connection, schema: PolicySchema, policy: Policy): Promise<Plan> {
  const [forRoles, forOperations] = [
    await planRoles(tx, schema, policy.roles),
    await planOperations(tx, policy.operations),
  ];
  return {
    lines: [...forRoles.lines, ...forOperations.lines],
    unchanged: forRoles.unchanged + forOperations.unchanged,
    roles: forRoles.steps,
    operations: forOperations,
  };
}

async function planRoles(tx: Connection, { catalog }: PolicySchema, files: Policy['roles']) {
  const [lines, steps]: [PlanLine[], RoleStep[]] = [[], []];
  if (files === undefined) return { lines, steps, unchanged: 0 };
  const rows = await tx.select(roles, all<RoleRow>(), {
    order: [{ column: 'name', direction: 'asc' }],
    ...(tx.shared === undefined && { lock: 'update' }),
  });
  const faults = new InputFaults('applied');
  for (const file of files) {
    const { name, holder } = file.role;
    const row = rows.find((one) => one.name === name);
    if (row === undefined) {
      lines.push({ sign: '+', kind: 'role', name, changes: [] });
      steps.push({ kind: 'create', file });
    } else if (row.holder !== holder) {
      faults.add({
        file: file.path,
        reason: `The role ${name} is for a holder of the kind ${row.holder}: name yours otherwise.`,
      });
    } else {
      const changes = roleChanges(asDefined(row, catalog), definitionOf(catalog, file.role));
      if (changes.length === 0) continue;
      lines.push({ sign: '~', kind: 'role', name, changes });
      steps.push({ kind: 'change', file, row });
    }
  }
  faults.refuse();
  const unchanged = files.length - steps.length;
  const names = new Set(files.map(({ role }) => role.name));
  const others = rows.filter((row) => !names.has(row.name) && !row.shipped && row.scopes.length > 0);
  const made = await madeByApply(
    tx,
    others.map(({ id, createdAt }) => ({ id, at: createdAt })),
  );
  for (const row of others.filter(({ id }) => made.has(id))) {
    const changes = roleChanges(row, { ...row, scopes: [], approvalScopes: [] });
    lines.push({ sign: '-', kind: 'role', name: row.name, changes });
    steps.push({ kind: 'empty', row });
  }
  return { lines, steps, unchanged };
}

/** A dimension that is newer than the role allows it nothing. */
const asDefined = (row: RoleRow, catalog: PolicySchema['catalog']): Definition => ({
  ...row,
  boundary: fullBoundary(catalog, row.boundary),
});

async function planOperations(tx: Connection, files: Policy['operations']) {
  const lines: PlanLine[] = [];
  if (files === undefined) return { lines, registered: [], retired: [], unchanged: 0 };
  const rows = await activeDocuments(tx);
  const registered = files.filter(({ name, source }) => {
    const row = rows.find((one) => one.name === name);
    if (row?.source === source) return false;
    const changes = row === undefined ? [] : [{ part: 'source', before: row.source, after: source }];
    lines.push({ sign: row === undefined ? '+' : '~', kind: 'operation', name, changes });
    return true;
  });
  const names = new Set(files.map(({ name }) => name));
  const others = rows.filter(({ name }) => !names.has(name));
  const made = await madeByApply(
    tx,
    others.map(({ id, registeredAt }) => ({ id, at: registeredAt })),
  );
  const retired = others.filter(({ id }) => made.has(id));
  for (const { name } of retired) lines.push({ sign: '-', kind: 'operation', name, changes: [] });
  return { lines, registered, retired, unchanged: files.length - registered.length };
}
