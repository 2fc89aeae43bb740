const whole = Symbol('whole');

/** A scanned row: some of its columns, and the whole row under a symbol that only `Rows` knows. */
export type Scanned<R, K extends keyof R> = Pick<R, K> & { readonly [whole]: R };

export function scanned<R, K extends keyof R & string>(row: R, columns: readonly K[]): Scanned<R, K> {
  const seen: Record<string, unknown> & { readonly [whole]: R } = { [whole]: row };
  for (const key of columns) seen[key] = row[key];
  return seen as unknown as Scanned<R, K>;
}

export const wholeRow = <R>(row: Scanned<R, never>): R => row[whole];
