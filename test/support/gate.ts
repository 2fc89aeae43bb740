import type { AppParts } from '../../src/app.js';
import type { Domain, Resolver } from '../../src/delegation/resolver-context.js';
import { installedDomains } from './installed.js';

/** Holds one operation inside a resolver, after it has read its rows, until a test lets it go on. */
export class Gate {
  private next: { arrive: () => void; opened: Promise<void> } | undefined;

  /** The next operation waits. */
  arm(): { readonly arrived: Promise<void>; open: () => void } {
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const arrived = new Promise<void>((arrive) => (this.next = { arrive, opened }));
    return { arrived, open };
  }

  async pass(): Promise<void> {
    const { next } = this;
    this.next = undefined;
    next?.arrive();
    await next?.opened;
  }
}

/** The server as it ships, with a gate behind `Query.customers` and `Mutation.replyToTicket`. */
export function gatedParts(gate: Gate): AppParts {
  return {
    domains: installedDomains().map((domain) => ({
      ...domain,
      resolvers: {
        ...domain.resolvers,
        ...gated(domain, 'Query', 'customers', gate),
        ...gated(domain, 'Mutation', 'replyToTicket', gate),
      },
    })),
  };
}

function gated(domain: Domain, type: string, field: string, gate: Gate): Domain['resolvers'] {
  const own = domain.resolvers[type];
  const resolve = own?.[field];
  if (own === undefined || resolve === undefined) return {};
  // Passes all four arguments on, as some resolvers take the selection.
  const wrapped: Resolver = async (parent, args, operation, selection) => {
    const result = await resolve(parent, args, operation, selection);
    await gate.pass();
    return result;
  };
  return { [type]: { ...own, [field]: wrapped } };
}
