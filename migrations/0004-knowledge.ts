import type { MigrationInterface, QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns, dropTables } from './columns.js';

/** Collections, documents with their versions, and passages with an index of their words. */
export class Knowledge1700000000004 implements MigrationInterface {
  readonly name = 'Knowledge1700000000004';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'collections',
      [c.id(), c.text('key', 64), c.text('name', 200), c.text('description', 1000), c.time('created_at')],
      { unique: [['key']] },
    );
    await c.create(
      'documents',
      [
        c.id(),
        c.text('collection', 64),
        c.text('title', 300),
        c.text('classification', 20),
        c.longtext('body'),
        c.int('version'),
        c.nullable(c.id('owner_id')),
        c.nullable(c.text('owner_name', 200)),
        c.time('created_at'),
        c.time('updated_at'),
        c.nullable(c.text('source_path', 1000)),
        c.nullable(c.text('source_url', 2000)),
      ],
      {
        indexes: [
          ['collection', 'id'],
          ['title', 'id'],
          ['updated_at', 'id'],
          ['created_at', 'id'],
        ],
      },
    );
    await c.create(
      'document_versions',
      [
        c.id(),
        c.id('document_id'),
        c.text('collection', 64),
        c.text('classification', 20),
        c.int('version'),
        c.text('title', 300),
        c.longtext('body'),
        c.text('changed_by', 200),
        c.time('changed_at'),
      ],
      { unique: [['document_id', 'version']] },
    );
    await c.create(
      'passages',
      [
        c.id(),
        c.id('document_id'),
        c.text('collection', 64),
        c.text('classification', 20),
        c.int('version'),
        c.int('position'),
        c.text('title', 300),
        c.text('heading', 300),
        c.longtext('body'),
        c.longtext('tokens'),
        c.nullable(c.longtext('plain')),
        c.withDefault(c.int('edition'), '0'),
      ],
      {
        indexes: [
          ['document_id', 'position'],
          ['edition', 'document_id'],
        ],
        rowNumber: 'everywhere',
      },
    );
    await this.words(runner, c);
  }

  /** See `WordIndex`, which reads it. */
  private async words(runner: QueryRunner, c: Columns): Promise<void> {
    if (c.mysql) {
      const word = { name: 'word', type: 'binary', length: '8' };
      await c.create('passages_words', [word, c.long('row_no')], { primaryKey: ['word', 'row_no'] });
      return;
    }
    for (const statement of fullText) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    const isMysql = runner.dataSource.options.type === 'mysql';
    await dropTables(runner, [
      'collections',
      'documents',
      'document_versions',
      'passages',
      isMysql ? 'passages_words' : 'passages_fts',
    ]);
  }
}

const [passages, index] = [prefixed('passages'), prefixed('passages_fts')];

/** Each token behind the prefix of its part. */
const words = (row: string): string => {
  const part = `hex(${row}collection) || 'x' || hex(${row}classification) || 'x'`;
  return `${part} || replace(${row}tokens, ' ', ' ' || ${part})`;
};

const removed = `DELETE FROM ${index} WHERE rowid = old.row_no;`;
const added = `INSERT INTO ${index} (rowid, words) VALUES (new.row_no, ${words('new.')});`;
const changed = 'tokens, collection, classification';

const fullText = [
  `CREATE VIRTUAL TABLE ${index} USING fts5 (words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii')`,
  // Few parts: each change adds one, and a look-up reads all of them. SQLite's own settings leave twice as many.
  `INSERT INTO ${index} (${index}, rank) VALUES ('automerge', 2)`,
  `INSERT INTO ${index} (${index}, rank) VALUES ('crisismerge', 4)`,
  `CREATE TRIGGER ${index}_insert AFTER INSERT ON ${passages} BEGIN ${added} END`,
  `CREATE TRIGGER ${index}_delete AFTER DELETE ON ${passages} BEGIN ${removed} END`,
  `CREATE TRIGGER ${index}_update AFTER UPDATE OF ${changed} ON ${passages} BEGIN ${removed} ${added} END`,
];
