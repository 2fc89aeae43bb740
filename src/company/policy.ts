import { join } from 'node:path';
import type { Progress } from '../core/progress.js';
import type { Catalog } from '../delegation/schema-catalog.js';
import type { DocumentRules } from '../delegation/trusted-documents.js';
import { InputFaults, inputFaultText } from '../operator/input-faults.js';
import { pathsBelow } from './read-files.js';
import { readOperations, type OperationFile } from './read-operations.js';
import { readRoles, type RoleFile } from './read-roles.js';

/** The scopes and dimensions that roles can name, and the rules that operations must pass. */
export interface PolicySchema {
  readonly catalog: Catalog;
  readonly rules: DocumentRules;
}

/** The roles and operations of a company folder. Undefined where it has no such folder, and so says nothing of them. */
export interface Policy {
  readonly roles: readonly RoleFile[] | undefined;
  readonly operations: readonly OperationFile[] | undefined;
}

/** Reads `roles` and `operations` of a company folder. Every fault of every file goes to `faults`. */
export async function readPolicy(
  folder: string,
  { catalog, rules }: PolicySchema,
  faults: InputFaults,
  progress?: Progress,
): Promise<Policy> {
  const [roles, operations] = [join(folder, 'roles'), join(folder, 'operations')];
  const rolePaths = await pathsBelow(roles, '.yaml', '.yml');
  const operationPaths = await pathsBelow(operations, '.graphql');
  const how = { prefix: 'operations/', ...(progress !== undefined && { progress }) };
  return {
    roles: rolePaths && (await readRoles(roles, rolePaths, catalog, faults)),
    operations: operationPaths && (await readOperations(operations, operationPaths, rules, faults, how)),
  };
}

/** What is wrong with the roles and operations of a company folder, each with file and line. */
export async function policyFaults(folder: string, schema: PolicySchema): Promise<string[]> {
  const faults = new InputFaults('applied', Number.POSITIVE_INFINITY);
  await readPolicy(folder, schema, faults);
  return faults.all.map(inputFaultText);
}
