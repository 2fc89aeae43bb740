import { DataSource } from 'typeorm';
import { migrations } from './migrations/index.js';
import { readConfig } from './src/config.js';
import { allTables } from './src/domains/all-tables.js';
import { dataSourceOptions } from './src/store/sql/open-sources.js';
import { entityOf } from './src/store/sql/entity.js';

const config = readConfig(process.env);

/** For TypeORM's own command line: `npx typeorm -d dist/ormconfig.js migration:show`. */
export default new DataSource({
  ...dataSourceOptions(config.database, migrations, config.BEHALF_POOL_SIZE),
  entities: allTables({ smallestCell: config.BEHALF_SMALLEST_CELL }).map((table) =>
    entityOf(table, config.database.dialect),
  ),
});
