/** The `client_id` of a program as its sign-in keeps it: a long one is cut. */
export const signInClientId = (clientId: string): string => clientId.slice(0, 100);
