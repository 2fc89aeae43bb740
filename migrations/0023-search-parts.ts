import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/**
 * Divides the index of passages by collection and classification: a word stands in it once for each, after a prefix
 * that names both. So a search reads nothing that its caller may not see. On SQLite the index is a full-text index
 * without content, on MySQL a table, for which passages get numbers.
 */
export class SearchParts1700000000023 implements MigrationInterface {
  readonly name = 'SearchParts1700000000023';

  async up(runner: QueryRunner): Promise<void> {
    if (runner.dataSource.options.type === 'mysql') {
      const c = await Columns.over(runner);
      await runner.query('DROP INDEX ft_passages_tokens ON passages');
      await runner.query(
        'ALTER TABLE passages DROP PRIMARY KEY, ADD UNIQUE uq_passages_id (id), ' +
          'ADD COLUMN row_no bigint NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST',
      );
      await c.create(
        'passages_words',
        [
          { name: 'word', type: 'binary', length: '8' },
          { name: 'row_no', type: 'bigint' },
        ],
        { primaryKey: ['word', 'row_no'] },
      );
      await runner.query(`INSERT INTO passages_words (word, row_no) ${allWords} ORDER BY 1, 2`);
      return;
    }
    for (const statement of [...undivided.drop, ...divided.make]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    if (runner.dataSource.options.type === 'mysql') {
      await dropTables(runner, ['passages_words']);
      await runner.query(
        'ALTER TABLE passages DROP COLUMN row_no, DROP INDEX uq_passages_id, ADD PRIMARY KEY (id)',
      );
      await runner.query('CREATE FULLTEXT INDEX ft_passages_tokens ON passages (tokens)');
      return;
    }
    for (const statement of [...divided.drop, ...undivided.make]) await runner.query(statement);
  }
}

const allWords =
  "SELECT DISTINCT LEFT(UNHEX(SHA1(CONCAT(HEX(t.collection), 'x', HEX(t.classification), 'x', j.token))), 8), t.row_no " +
  `FROM passages t STRAIGHT_JOIN JSON_TABLE(CONCAT('["', REPLACE(t.tokens, ' ', '","'), '"]'), '$[*]' ` +
  "COLUMNS (token VARCHAR(60) CHARACTER SET utf8mb4 PATH '$')) j";

const index = 'passages_fts';
const triggers = ['insert', 'delete', 'update'].map((event) => `${index}_${event}`);
const drop = [...triggers.map((name) => `DROP TRIGGER ${name}`), `DROP TABLE ${index}`];

/** The settings for few parts, as in 0011, and the words of all passages. */
const filled = (columns: string, values: string): string[] => [
  `INSERT INTO ${index} (${index}, rank) VALUES ('automerge', 2)`,
  `INSERT INTO ${index} (${index}, rank) VALUES ('crisismerge', 4)`,
  `INSERT INTO ${index} (rowid, ${columns}) SELECT row_no, ${values} FROM passages ORDER BY row_no`,
  `INSERT INTO ${index} (${index}) VALUES ('optimize')`,
];

const triggersOf = (changed: string, removed: string, added: string): string[] => [
  `CREATE TRIGGER ${index}_insert AFTER INSERT ON passages BEGIN ${added} END`,
  `CREATE TRIGGER ${index}_delete AFTER DELETE ON passages BEGIN ${removed} END`,
  `CREATE TRIGGER ${index}_update AFTER UPDATE OF ${changed} ON passages BEGIN ${removed} ${added} END`,
];

/** Each token behind the prefix of its part. */
const words = (row: string): string => {
  const part = `hex(${row}collection) || 'x' || hex(${row}classification) || 'x'`;
  return `${part} || replace(${row}tokens, ' ', ' ' || ${part})`;
};

const divided = {
  drop,
  make: [
    `CREATE VIRTUAL TABLE ${index} USING fts5 (words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii')`,
    ...filled('words', words('')),
    ...triggersOf(
      'tokens, collection, classification',
      `DELETE FROM ${index} WHERE rowid = old.row_no;`,
      `INSERT INTO ${index} (rowid, words) VALUES (new.row_no, ${words('new.')});`,
    ),
  ],
};

const undivided = {
  drop,
  make: [
    `CREATE VIRTUAL TABLE ${index} USING fts5 (tokens, content = 'passages', content_rowid = 'row_no')`,
    ...filled('tokens', 'tokens'),
    ...triggersOf(
      'tokens',
      `INSERT INTO ${index} (${index}, rowid, tokens) VALUES ('delete', old.row_no, old.tokens);`,
      `INSERT INTO ${index} (rowid, tokens) VALUES (new.row_no, new.tokens);`,
    ),
  ],
};
