import { fullBoundary } from '../admin/role-definition.js';
import { createRole, updateRole } from '../admin/roles.js';
import { DocumentsRefused, registerDocuments, retireDocument } from '../admin/trusted-documents.js';
import type { UnitOfWork } from '../admin/unit-of-work.js';
import { badInput, BehalfError } from '../core/errors.js';
import { InputFaults } from '../operator/input-faults.js';
import { recordedRun, type RunOptions, type Workshop } from '../operator/recorded-run.js';
import { findPerson, requireScope } from '../operator/recorded-change.js';
import { applyCommand } from './made-by-apply.js';
import { planOf, type Plan, type PlanLine, type RoleStep } from './plan.js';
import { readPolicy, type Policy, type PolicySchema } from './policy.js';
import { inFiles, type OperationFile } from './read-operations.js';

export interface ApplyOptions extends RunOptions {
  readonly folder: string;
  /** The name of the person within whose grantable set everything happens. */
  readonly as: string;
}

export interface ApplyReport {
  readonly plan: readonly PlanLine[];
  readonly unchanged: number;
  /** Null where nothing was changed. */
  readonly operationId: string | null;
}

/**
 * Makes the roles and the registered operations of a company folder so, all or nothing, by the functions of the admin
 * mutations and so within what the person may grant. What was made from the folder before and has no file any more is
 * taken away: an operation is retired, a role loses its scopes. Throws `InputRefused` with every fault of every file.
 */
export async function applyFolder(
  workshop: Workshop,
  schema: PolicySchema,
  options: ApplyOptions,
): Promise<ApplyReport> {
  const { database, clock, ids, progress } = workshop;
  await findPerson(database.read, options.as);
  const policy = await readFolder(options.folder, schema, progress);
  const before = await planOf(database.read, schema, policy);
  // Where nothing is to be done, nothing is recorded.
  if (before.lines.length === 0) return { plan: [], unchanged: before.unchanged, operationId: null };
  const { result, operationId } = await recordedRun(workshop, options, {
    command: applyCommand,
    detail: ({ lines }: Plan) => ({ plan: lines.map(({ sign, kind, name }) => `${sign} ${kind} ${name}`) }),
    run: async (tx, trail, person) => {
      progress('applying');
      const plan = await planOf(tx, schema, policy);
      if (person === undefined) throw new Error('Nobody decides this.');
      const applying = new Applying({ tx, clock, ids, trail }, schema, person.id);
      if (plan.roles.length > 0) await requireScope(database, tx, person, 'roles:manage');
      for (const role of plan.roles) await applying.role(role);
      const { registered, retired } = plan.operations;
      if (registered.length + retired.length > 0)
        await requireScope(database, tx, person, 'operations:register');
      for (const row of retired) await retireDocument(applying.unit, person.id, row);
      await applying.register(registered);
      return plan;
    },
  });
  return { plan: result.lines, unchanged: result.unchanged, operationId };
}

async function readFolder(
  folder: string,
  schema: PolicySchema,
  progress: Workshop['progress'],
): Promise<Policy> {
  const faults = new InputFaults('applied');
  const policy = await readPolicy(folder, schema, faults, progress);
  faults.refuse();
  if (policy.roles !== undefined || policy.operations !== undefined) return policy;
  throw badInput(`${folder} has neither a folder \`roles\` nor a folder \`operations\`.`);
}

/** The changes of one transaction, in the name of one person. */
class Applying {
  constructor(
    readonly unit: UnitOfWork,
    private readonly schema: PolicySchema,
    private readonly by: string,
  ) {}

  async role(step: RoleStep): Promise<void> {
    const { catalog } = this.schema;
    switch (step.kind) {
      case 'create':
        await named(step.file.path, createRole(this.unit, catalog, this.by, step.file.role));
        return;
      case 'change': {
        const { name: _, holder: __, ...parts } = step.file.role;
        // A part that the file leaves out gets its default, not the value of before.
        const defaults = { approvalScopes: [], limits: {}, documents: 'any', signIn: 'any' } as const;
        const changes = { ...defaults, ...parts };
        await named(step.file.path, updateRole(this.unit, catalog, this.by, step.row, changes));
        return;
      }
      case 'empty': {
        // A dimension that is gone from the schema cannot be said any more.
        const known = Object.entries(step.row.boundary).filter(([name]) => catalog.dimensions.has(name));
        const boundary = fullBoundary(catalog, Object.fromEntries(known));
        const changes = { scopes: [], approvalScopes: [], boundary };
        await named(step.row.name, updateRole(this.unit, catalog, this.by, step.row, changes));
      }
    }
  }

  async register(files: readonly OperationFile[]): Promise<void> {
    try {
      await registerDocuments(this.unit, this.schema.rules, this.by, files);
    } catch (error) {
      throw error instanceof DocumentsRefused ? inFiles(error, files, 'applied') : error;
    }
  }
}

/** Says which file a refusal is about. */
const named = <T>(what: string, work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    if (!(error instanceof BehalfError)) throw error;
    throw new BehalfError(error.code, `${what}: ${error.message}`, error.details, { cause: error });
  });
