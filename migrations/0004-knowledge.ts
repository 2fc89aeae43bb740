import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** Collections, documents with their versions, and passages with a full-text index. */
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
      ],
      {
        indexes: [
          ['collection', 'id'],
          ['title', 'id'],
          ['updated_at', 'id'],
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
    const passages = [
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
    ];
    if (runner.dataSource.options.type === 'mysql') {
      await c.create('passages', passages, { indexes: [['document_id', 'position']] });
      await runner.query('CREATE FULLTEXT INDEX ft_passages_tokens ON passages (tokens)');
      return;
    }
    await c.create('passages', [c.rowNumber(), ...passages], {
      primaryKey: ['row_no'],
      unique: [['id']],
      indexes: [['document_id', 'position']],
    });
    for (const statement of fullText) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    if (runner.dataSource.options.type !== 'mysql') await runner.query('DROP TABLE passages_fts');
    await dropTables(runner, ['collections', 'documents', 'document_versions', 'passages']);
  }
}

const removed = `INSERT INTO passages_fts (passages_fts, rowid, tokens) VALUES ('delete', old.row_no, old.tokens);`;
const added = `INSERT INTO passages_fts (rowid, tokens) VALUES (new.row_no, new.tokens);`;
const fullText = [
  `CREATE VIRTUAL TABLE passages_fts USING fts5 (tokens, content = 'passages', content_rowid = 'row_no')`,
  `CREATE TRIGGER passages_fts_insert AFTER INSERT ON passages BEGIN ${added} END`,
  `CREATE TRIGGER passages_fts_delete AFTER DELETE ON passages BEGIN ${removed} END`,
  `CREATE TRIGGER passages_fts_update AFTER UPDATE OF tokens ON passages BEGIN ${removed} ${added} END`,
];
