import type { Column } from '../tables/column.js';

interface Expression {
  readonly sql: string;
  readonly column: Column<unknown> | undefined;
}

/**
 * Whether the values of two columns are the same, texts byte for byte. The first comparison is by the collation of
 * `theirs`, so that the database can use its index: it would refuse to compare by two of them.
 */
export function sameSql(theirs: Expression, own: Expression): string {
  if (own.column?.isCollated !== true && theirs.column?.isCollated !== true)
    return `${theirs.sql} = ${own.sql}`;
  const [to, from] = [theirs.column?.charset, own.column?.charset];
  if (to === undefined || (to.name === from?.name && to.collation === from.collation))
    return `${theirs.sql} = ${own.sql} AND HEX(${theirs.sql}) = HEX(${own.sql})`;
  return (
    `${theirs.sql} = CONVERT(${own.sql} USING ${to.name}) COLLATE ${to.collation} AND ` +
    `${utf8(theirs.sql)} = ${utf8(own.sql)}`
  );
}

const utf8 = (expression: string): string => `HEX(CONVERT(${expression} USING utf8mb4))`;
