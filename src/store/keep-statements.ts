interface Statement {
  readonly reader: boolean;
  all(): unknown;
  run(): unknown;
}

export interface Statements {
  prepare(sql: string): Statement;
  pragma(source: string): unknown;
}

/**
 * From Node 24.19 on, the process aborts when a statement of better-sqlite3 12 is collected as garbage (its
 * destructor removes a hook of an environment that is not entered then). So none ever is, also after its
 * database was closed: statements are kept by their text and used again, which costs some memory for each text.
 */
const kept = new Map<Statements, Map<string, Statement>>();

export function collectingAborts(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 19);
}

export function keepStatements(db: Statements): void {
  const statements = new Map<string, Statement>();
  kept.set(db, statements);
  const prepare = db.prepare.bind(db);
  db.prepare = (sql) => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const made = prepare(sql);
    statements.set(sql, made);
    return made;
  };
  // The library's own would prepare past this.
  db.pragma = (source) => {
    const statement = db.prepare(`PRAGMA ${source}`);
    return statement.reader ? statement.all() : statement.run();
  };
}
