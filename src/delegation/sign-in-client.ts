/** What a sign-in keeps of its program's `client_id`: the beginning of a long one. */
export const signInClientId = (clientId: string): string => clientId.slice(0, 100);
