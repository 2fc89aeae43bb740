/** Enum values are in upper case in the schema and in lower case in the tables. */
export const toStored = (value: string): string => value.toLowerCase();

/** The reverse of `toStored`. */
export const fromStored = (value: string): string => value.toUpperCase();
