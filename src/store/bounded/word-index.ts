import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dialect } from '../tables/dialect.js';
import { columnName, eq, isIn, padded, quote, type Sql } from '../sql/condition.js';
import type { Connection } from '../sql/connection.js';
import type { Table } from '../tables/table.js';

/** The values of the columns that divide a word index into parts. */
export type PartOf = readonly string[];

/** Whether a row must have all of the words or any of them. */
export type MatchMode = 'all' | 'any';

export interface WordQuery {
  /** Only rows of these parts are searched. */
  readonly parts: readonly PartOf[];
  /** Each word in one or more forms, any of which matches. Only lower-case letters and digits. */
  readonly words: readonly (readonly string[])[];
  readonly mode: MatchMode;
  readonly limit: number;
}

/** More words than this are split over several statements. */
const wordsMax = 512;

/**
 * SQLite blocks the process while it writes: at least a tenth of a millisecond for each row, and a fifth for
 * 1,000 letters of its words.
 */
const rowsPerTurn = 32;
const lettersPerTurn = 65_536;

/**
 * Finds rows by words. The index is divided into parts by the columns that boundaries use, and each word is
 * stored with the name of its part. So a look-up in some parts costs the same whatever the other parts hold,
 * and its time does not reveal whether hidden rows have a word. On SQLite the index is an FTS5 table without
 * content, maintained by triggers. On MySQL it is a table in the order of its words, because the built-in
 * full-text index supports no limit, reads deleted rows at each look-up, and hides a transaction's own rows
 * from it.
 */
export class WordIndex<Row extends { readonly id: string }> {
  /** The name of the full-text index on SQLite. */
  readonly fullTextName: string;
  private readonly words: string;
  /** Each row `t` joined with each of its words. */
  private readonly pairs: string;
  private readonly word: string;

  constructor(
    readonly table: Table<Row>,
    private readonly columns: {
      readonly tokens: keyof Row & string;
      readonly parts: readonly (keyof Row & string)[];
    },
  ) {
    this.fullTextName = `${table.name}_fts`;
    this.words = quote(`${table.name}_words`);
    this.pairs =
      `${quote(table.name)} t STRAIGHT_JOIN JSON_TABLE(CONCAT('["', REPLACE(t.${columnName(columns.tokens)}, ' ', '","'), '"]'), ` +
      "'$[*]' COLUMNS (`token` VARCHAR(60) CHARACTER SET utf8mb4 PATH '$')) j";
    const name = columns.parts.map((column) => `HEX(t.${columnName(column)}), 'x', `).join('');
    this.word = `LEFT(UNHEX(SHA1(CONCAT(${name}j.\`token\`))), ${String(digestBytes)})`;
  }

  /** Statements that select, as `n`, the row numbers of the first matching rows. */
  find(query: WordQuery, dialect: Dialect): Sql[] {
    const size = Math.max(1, Math.floor(wordsMax / query.words.flat().length));
    const groups: Sql[] = [];
    for (let at = 0; at < query.parts.length; at += size) {
      const names = query.parts
        .slice(at, at + size)
        .map((part) => query.words.map((forms) => forms.map((form) => wordOf(part, form))));
      groups.push(dialect === 'sqlite' ? this.inFullText(names, query) : this.inTable(names, query));
    }
    return groups;
  }

  /** Replaces the rows of one parent and their words. Yields to the event loop in between. */
  async replace(tx: Connection, parent: keyof Row & string, id: string, rows: readonly Row[]): Promise<void> {
    await this.remove(tx, parent, id);
    for (const [at, slice] of this.slices(rows).entries()) {
      if (at > 0) await nextTurn();
      await tx.insert(this.table, slice);
    }
    const ofParent = ` WHERE t.${columnName(parent)} = ?`;
    if (tx.dialect === 'mysql') await tx.affecting(this.addition(ofParent), [id], true);
  }

  private async remove(tx: Connection, parent: keyof Row & string, id: string): Promise<void> {
    const ofParent = eq<Row>(parent, id);
    if (tx.dialect === 'mysql') {
      await tx.affecting(this.removal(parent), [id], true);
      await tx.delete(this.table, ofParent);
      return;
    }
    const ids = (await tx.selectColumns(this.table, ['id'], ofParent)).map((row) => row.id);
    for (let at = 0; at < ids.length; at += rowsPerTurn) {
      if (at > 0) await nextTurn();
      await tx.delete(this.table, isIn<Row>('id', ids.slice(at, at + rowsPerTurn)));
    }
  }

  /** Rows in slices, each for one turn of the event loop. */
  private slices(rows: readonly Row[]): Row[][] {
    const slices: Row[][] = [];
    let slice: Row[] = [];
    let letters = 0;
    for (const row of rows) {
      const { length } = String(row[this.columns.tokens]);
      if (slice.length === 0 || slice.length === rowsPerTurn || letters + length > lettersPerTurn) {
        slices.push((slice = []));
        letters = 0;
      }
      slice.push(row);
      letters += length;
    }
    return slices;
  }

  /** Indexes a table that is already filled. */
  async fill(tx: Connection): Promise<void> {
    if (tx.dialect === 'mysql') await tx.affecting(this.addition(''), []);
  }

  /** Writes in the order of the key, so that two concurrent writes never deadlock. */
  private addition(where: string): string {
    return (
      `INSERT INTO ${this.words} (\`word\`, \`row_no\`) SELECT DISTINCT ${this.word}, t.\`row_no\` ` +
      `FROM ${this.pairs}${where} ORDER BY 1, 2`
    );
  }

  private removal(parent: keyof Row & string): string {
    return (
      `DELETE w FROM ${this.pairs} STRAIGHT_JOIN ${this.words} w ON w.\`word\` = ${this.word} ` +
      `AND w.\`row_no\` = t.\`row_no\` WHERE t.${columnName(parent)} = ?`
    );
  }

  private inFullText(names: readonly Words[], { mode, limit }: WordQuery): Sql {
    const anyOf = (forms: readonly string[]): string => forms.map((form) => `"${form}"`).join(' OR ');
    const expression =
      mode === 'any'
        ? anyOf(names.flat(2))
        : names.map((words) => `(${words.map((forms) => `(${anyOf(forms)})`).join(' AND ')})`).join(' OR ');
    const fullText = quote(this.fullTextName);
    return {
      text: `SELECT rowid AS n FROM ${fullText} WHERE ${fullText} MATCH ? ORDER BY rowid LIMIT ${String(limit)}`,
      params: [expression],
    };
  }

  private inTable(names: readonly Words[], { mode, limit }: WordQuery): Sql {
    const sets: readonly Words[] = padded(mode === 'any' ? names.flat(2).map((form) => [[form]]) : names);
    return {
      text:
        `SELECT u.n FROM (${sets.map((words) => this.rowsWithAll(words, limit)).join(' UNION ')}) u ` +
        `ORDER BY u.n LIMIT ${String(limit)}`,
      params: sets.flat(2).map(digestOf),
    };
  }

  private rowsWithAll(words: Words, limit: number): string {
    const tables = words.map((forms, at) => {
      const name = `w${String(at)}`;
      const is = `${name}.\`word\` ${forms.length === 1 ? '= ?' : `IN (${forms.map(() => '?').join(', ')})`}`;
      return { name, is };
    });
    const from = tables.map(({ name }) => `${this.words} ${name}`).join(' STRAIGHT_JOIN ');
    const where = tables.map(({ name, is }, at) =>
      at === 0 ? is : `${is} AND ${name}.\`row_no\` = w0.\`row_no\``,
    );
    return (
      `(SELECT w0.\`row_no\` AS n FROM ${from} WHERE ${where.join(' AND ')} ` +
      `ORDER BY w0.\`row_no\` LIMIT ${String(limit)})`
    );
  }
}

/** The words of one part, each with its forms. */
type Words = readonly (readonly string[])[];

const digestBytes = 8;

/** The migrations build the same names. */
const wordOf = (part: PartOf, token: string): string =>
  [...part.map((value) => Buffer.from(value, 'utf8').toString('hex').toUpperCase()), token].join('x');

const digestOf = (word: string): Buffer => createHash('sha1').update(word).digest().subarray(0, digestBytes);
