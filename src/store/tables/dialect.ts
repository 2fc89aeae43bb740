/** The kinds of databases: MariaDB speaks MySQL's dialect. */
export type Dialect = 'sqlite' | 'mysql';
