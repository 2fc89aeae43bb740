import { z } from 'zod';
import { definitionFaults, type NewRole } from '../admin/role-definition.js';
import type { Catalog } from '../delegation/schema-catalog.js';
import { readYaml } from '../operator/yaml-file.js';
import type { InputFaults } from '../operator/input-faults.js';
import { readText } from './read-files.js';

export interface RoleFile {
  readonly path: string;
  readonly role: NewRole;
}

const text = z.string({ error: 'must be a text; numbers and words such as no need quotes' });
const texts = z.array(text, { error: 'must be a list of texts' });
const number = z.number({ error: 'must be a number' });

const limits = z.strictObject({
  operations: number.optional(),
  rows: number.optional(),
  expirySeconds: number.optional(),
  depth: number.optional(),
  operationCost: number.optional(),
});

/** The words are those of the mutation `createRole`. */
const roleForm = z.strictObject(
  {
    name: text.optional(),
    description: text,
    businessTask: text,
    holder: z.enum(['agent', 'person'], { error: 'must be agent or person' }),
    scopes: texts,
    approvalScopes: texts.optional(),
    boundary: z.record(
      z.string(),
      z.union([z.literal('all'), z.array(text)], { error: 'must be all or a list of texts' }),
      {
        error: 'must say for each dimension all or a list of texts',
      },
    ),
    limits: limits.optional(),
    documents: z
      .enum(['any', 'logged', 'registered'], { error: 'must be any, logged or registered' })
      .optional(),
    signIn: z.enum(['any', 'passkey'], { error: 'must be any or passkey' }).optional(),
  },
  {
    error: (issue) =>
      issue.code === 'invalid_type' ? 'must be a role: `description:` and so on' : undefined,
  },
);

/**
 * The roles of these files of a folder. A role has the name of its file unless it says another. Every fault of every file
 * goes to `faults`, except what depends on the person who applies them.
 */
export async function readRoles(
  folder: string,
  paths: readonly string[],
  catalog: Catalog,
  faults: InputFaults,
): Promise<RoleFile[]> {
  const byName = new Map<string, RoleFile>();
  for (const path of paths) {
    const file = await readRole(folder, path, catalog, faults);
    if (file === undefined) continue;
    const twin = byName.get(file.role.name);
    if (twin !== undefined)
      faults.add({ file: file.path, reason: `${twin.path} has a role of this name too.` });
    byName.set(file.role.name, file);
  }
  return [...byName.values()];
}

async function readRole(
  folder: string,
  path: string,
  catalog: Catalog,
  faults: InputFaults,
): Promise<RoleFile | undefined> {
  const name = `roles/${path}`;
  const read = await readText(folder, path, name, faults);
  const file = read === undefined ? undefined : readYaml(name, read.text, roleForm, faults);
  if (file === undefined) return undefined;
  const role = { ...file.value, name: file.value.name ?? path.replace(/^.*\/|\.ya?ml$/gi, '') };
  const found = definitionFaults(catalog, role);
  for (const fault of found) faults.add(file.fault(fault.path, fault.message));
  return found.length === 0 ? { path: name, role } : undefined;
}
