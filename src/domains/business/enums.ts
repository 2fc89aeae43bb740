/** Enum values stand in capitals in the schema and in small letters in the tables. */
export const toStored = (value: string): string => value.toLowerCase();

/** The reverse of `toStored`. */
export const fromStored = (value: string): string => value.toUpperCase();
