import { viewerDocument, type Holds, type ViewerAnswer } from './documents.js';
import type { Visitor } from './visitor.js';

/** The signed-in person, and the filter for their own tasks. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly holds: Holds;
  /** Selects the person's own tasks. Undefined where the person's rights do not tell them from those of others. */
  readonly own: Readonly<Record<string, string>> | undefined;
  /** The same for the person's own passkeys. */
  readonly ownPasskeys: Readonly<Record<string, string>> | undefined;
  /** The same for the person's own requests to admit an application. */
  readonly ownRequests: Readonly<Record<string, string>> | undefined;
}

export async function readPerson(visitor: Visitor): Promise<Person> {
  const { viewer } = await visitor.run(viewerDocument);
  const held = new Set(viewer.scopes);
  const holds: Holds = (scope) => held.has(scope);
  const own = ownFilter(viewer, holds, 'delegations:read');
  return {
    ...{ ...viewer.person, holds, own },
    ownPasskeys: ownFilter(viewer, holds, 'passkeys:manage'),
    ownRequests: ownFilter(viewer, holds, 'clients:request'),
  };
}

/** An auditor may read everybody's tasks. The pages show only a person's own. */
function ownFilter(viewer: ViewerAnswer['viewer'], holds: Holds, scope: string): Person['own'] {
  if (!holds(scope)) return undefined;
  if (holds('users:read')) return { personId: viewer.person.id };
  return seesOnlyOwn(viewer, scope) ? {} : undefined;
}

function seesOnlyOwn({ person, boundaries }: ViewerAnswer['viewer'], scope: string): boolean {
  const boxes = boundaries.filter((one) => one.scope === scope).flatMap(({ anyOf }) => anyOf);
  return boxes.every(({ dimensions }) => {
    const people = dimensions.find(({ name }) => name === 'person');
    return people === undefined || (!people.all && people.values.every((id) => id === person.id));
  });
}

/** Whether a row is the person's own. Without `users:read`, `own` is set only where the person can read no others. */
export const isOwn = (
  { id, own, holds }: Person,
  row: { readonly person?: { readonly id: string } | null },
): boolean => own !== undefined && (!holds('users:read') || row.person?.id === id);
