/** The name of one permission, `resource:action`; also the OAuth scope (RFC 6749 section 3.3). */
export type Scope = string;

/**
 * The scope of every live chain: to ask who it is, and to read page information. It is never granted, and always
 * held.
 */
export const sessionScope: Scope = 'session:read';

/** A scope as the SDL defines it. */
export interface ScopeDefinition {
  readonly name: Scope;
  readonly description: string;
  /** Only people may hold it: no agent's role and no delegation may contain it. */
  readonly peopleOnly: boolean;
  /** Where the server asks for recent sign-ins, people make changes by it in one. */
  readonly recentSignIn: boolean;
}

export const isScopeName = (text: string): boolean => /^[a-z][a-z0-9_]*:[a-z][a-z0-9_]*$/.test(text);
