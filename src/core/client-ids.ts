/** The longest OAuth `client_id`, such as the address of a client's document. */
export const clientIdLengthMax = 255;

/** Whether a text can be the name of an agent or the id of a client that an administrator registers. */
export const isPlainClientId = (text: string): boolean => /^[a-z0-9][a-z0-9._-]{0,99}$/.test(text);
